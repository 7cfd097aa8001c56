<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en_US">
<context>
    <name>AccountPage</name>
    <message>
        <source>Not like this</source>
        <translation>Not like this</translation>
    </message>
    <message>
        <source>This page is only read.</source>
        <translation>This page is only read.</translation>
    </message>
    <message>
        <source>There is no such page</source>
        <translation>There is no such page</translation>
    </message>
    <message>
        <source>Nothing is here.</source>
        <translation>Nothing is here.</translation>
    </message>
    <message>
        <source>This login is not known here</source>
        <translation>This login is not known here</translation>
    </message>
    <message>
        <source>It was used already, or is that of another start. Start bridge-host --login again.</source>
        <translation>It was used already, or is that of another start. Start bridge-host --login again.</translation>
    </message>
    <message>
        <source>The login did not work</source>
        <translation>The login did not work</translation>
    </message>
    <message>
        <source>The field loginToken is missing, or too long.</source>
        <translation>The field loginToken is missing, or too long.</translation>
    </message>
    <message>
        <source>You are logged in</source>
        <translation>You are logged in</translation>
    </message>
    <message>
        <source>%1 takes calls through this bridge as soon as it is started. You can close this page.</source>
        <translation>%1 takes calls through this bridge as soon as it is started. You can close this page.</translation>
    </message>
</context>
<context>
    <name>Check</name>
    <message>
        <source>ERROR %1</source>
        <translation>ERROR %1</translation>
    </message>
    <message numerus="yes">
        <source>%n error(s)</source>
        <translation>
            <numerusform>%n error</numerusform>
            <numerusform>%n errors</numerusform>
        </translation>
    </message>
    <message>
        <source>all is well</source>
        <translation>all is well</translation>
    </message>
    <message>
        <source>note  environment variable %1 is set</source>
        <translation>note  environment variable %1 is set</translation>
    </message>
    <message>
        <source>ok    configuration %1</source>
        <translation>ok    configuration %1</translation>
    </message>
    <message>
        <source>note  %1</source>
        <translation>note  %1</translation>
    </message>
    <message>
        <source>ok    %1</source>
        <translation>ok    %1</translation>
    </message>
    <message>
        <source>note  %1; %2</source>
        <translation>note  %1; %2</translation>
    </message>
</context>
<context>
    <name>Config</name>
    <message>
        <source>must be at most 1024 printable characters without spaces</source>
        <translation>must be at most 1024 printable characters without spaces</translation>
    </message>
    <message>
        <source>must be an http or https address</source>
        <translation>must be an http or https address</translation>
    </message>
    <message>
        <source>must be an address without path, query or user</source>
        <translation>must be an address without path, query or user</translation>
    </message>
    <message>
        <source>must hold origins such as https://phone.example.org, without a path</source>
        <translation>must hold origins such as https://phone.example.org, without a path</translation>
    </message>
    <message>
        <source>must be ADDRESS:PORT with a numeric address</source>
        <translation>must be ADDRESS:PORT with a numeric address</translation>
    </message>
    <message>
        <source>must be configuration, keychain or credentials-directory</source>
        <translation>must be configuration, keychain or credentials-directory</translation>
    </message>
    <message>
        <source>belongs to the provider credentials-directory only</source>
        <translation>belongs to the provider credentials-directory only</translation>
    </message>
    <message>
        <source>belongs to the provider configuration only</source>
        <translation>belongs to the provider configuration only</translation>
    </message>
    <message>
        <source>must be 32 bytes in base64</source>
        <translation>must be 32 bytes in base64</translation>
    </message>
    <message>
        <source>holds more than 100000 users</source>
        <translation>holds more than 100000 users</translation>
    </message>
    <message>
        <source>must be 1 to 64 of the characters a-z 0-9 . _ = -</source>
        <translation>must be 1 to 64 of the characters a-z 0-9 . _ = -</translation>
    </message>
    <message>
        <source>must be at most 256 characters without control characters</source>
        <translation>must be at most 256 characters without control characters</translation>
    </message>
    <message>
        <source>is another user&apos;s already</source>
        <translation>is another user&apos;s already</translation>
    </message>
    <message>
        <source>must be of the characters a-z 0-9 . _ = / + -</source>
        <translation>must be of the characters a-z 0-9 . _ = / + -</translation>
    </message>
    <message>
        <source>is not a server name</source>
        <translation>is not a server name</translation>
    </message>
    <message>
        <source>must be of the characters A-Z a-z 0-9 . _ -</source>
        <translation>must be of the characters A-Z a-z 0-9 . _ -</translation>
    </message>
    <message>
        <source>must be sqlite or postgresql</source>
        <translation>must be sqlite or postgresql</translation>
    </message>
    <message>
        <source>the file is over 1 MiB</source>
        <translation>the file is over 1 MiB</translation>
    </message>
    <message>
        <source>this is not YAML: %1</source>
        <translation>this is not YAML: %1</translation>
    </message>
    <message>
        <source>the file must be a map of keys and values</source>
        <translation>the file must be a map of keys and values</translation>
    </message>
    <message>
        <source>the file cannot be read: %1</source>
        <translation>the file cannot be read: %1</translation>
    </message>
    <message>
        <source>must differ from appservice.as_token</source>
        <translation>must differ from appservice.as_token</translation>
    </message>
    <message>
        <source>must differ from the tokens of the users</source>
        <translation>must differ from the tokens of the users</translation>
    </message>
    <message>
        <source>is given twice</source>
        <translation>is given twice</translation>
    </message>
    <message>
        <source>is missing (the environment may give it as %1)</source>
        <translation>is missing (the environment may give it as %1)</translation>
    </message>
    <message>
        <source>must be text; put it in quotes</source>
        <translation>must be text; put it in quotes</translation>
    </message>
    <message>
        <source>must be text</source>
        <translation>must be text</translation>
    </message>
    <message>
        <source>is empty</source>
        <translation>is empty</translation>
    </message>
    <message>
        <source>must be a whole number</source>
        <translation>must be a whole number</translation>
    </message>
    <message>
        <source>must be between %1 and %2</source>
        <translation>must be between %1 and %2</translation>
    </message>
    <message>
        <source>cannot be read: %1</source>
        <translation>cannot be read: %1</translation>
    </message>
    <message>
        <source>must be a list of texts</source>
        <translation>must be a list of texts</translation>
    </message>
    <message>
        <source>must be a map of keys and values</source>
        <translation>must be a map of keys and values</translation>
    </message>
    <message>
        <source>must be a list of maps</source>
        <translation>must be a list of maps</translation>
    </message>
    <message>
        <source>is not a known key</source>
        <translation>is not a known key</translation>
    </message>
</context>
<context>
    <name>Main</name>
    <message>
        <source>Connects a call service to Matrix through plugins.</source>
        <translation>Connects a call service to Matrix through plugins.</translation>
    </message>
    <message>
        <source>The configuration file (YAML).</source>
        <translation>The configuration file (YAML).</translation>
    </message>
    <message>
        <source>Write the appservice registration for the homeserver, and exit.</source>
        <translation>Write the appservice registration for the homeserver, and exit.</translation>
    </message>
    <message>
        <source>Check configuration, plugins and database, print what was found, exit.</source>
        <translation>Check configuration, plugins and database, print what was found, exit.</translation>
    </message>
    <message>
        <source>use it with --config FILE; --help tells more</source>
        <translation>use it with --config FILE; --help tells more</translation>
    </message>
    <message>
        <source>Change the root key of what is sealed in the database, and exit. The bridge must not be running.</source>
        <translation>Change the root key of what is sealed in the database, and exit. The bridge must not be running.</translation>
    </message>
    <message>
        <source>mode client runs on an account: it is not registered</source>
        <translation>mode client runs on an account: it is not registered</translation>
    </message>
    <message>
        <source>Log in to the account that a plugin runs on (mode client), and exit.</source>
        <translation>Log in to the account that a plugin runs on (mode client), and exit.</translation>
    </message>
    <message>
        <source>Log out of that account, and exit.</source>
        <translation>Log out of that account, and exit.</translation>
    </message>
</context>
<context>
    <name>PluginMetadata</name>
    <message>
        <source>&quot;%1&quot; does not name a language, as in &quot;%2[de]&quot;</source>
        <translation>&quot;%1&quot; does not name a language, as in &quot;%2[de]&quot;</translation>
    </message>
    <message>
        <source>&quot;%1&quot; must be text and not empty</source>
        <translation>&quot;%1&quot; must be text and not empty</translation>
    </message>
    <message>
        <source>&quot;%1&quot; is missing</source>
        <translation>&quot;%1&quot; is missing</translation>
    </message>
    <message>
        <source>its interface is &quot;%1&quot;, this host takes &quot;%2&quot;</source>
        <translation>its interface is &quot;%1&quot;, this host takes &quot;%2&quot;</translation>
    </message>
    <message>
        <source>it carries no metadata</source>
        <translation>it carries no metadata</translation>
    </message>
    <message>
        <source>&quot;%1&quot; must be text</source>
        <translation>&quot;%1&quot; must be text</translation>
    </message>
    <message>
        <source>&quot;id&quot; is &quot;%1&quot;; it must be up to 32 of a-z 0-9 _, begin with a letter, and not be &quot;path&quot;</source>
        <translation>&quot;id&quot; is &quot;%1&quot;; it must be up to 32 of a-z 0-9 _, begin with a letter, and not be &quot;path&quot;</translation>
    </message>
    <message>
        <source>&quot;version&quot; is &quot;%1&quot;; it must be a semantic version such as 1.2.3</source>
        <translation>&quot;version&quot; is &quot;%1&quot;; it must be a semantic version such as 1.2.3</translation>
    </message>
    <message>
        <source>&quot;apiVersion&quot; is missing</source>
        <translation>&quot;apiVersion&quot; is missing</translation>
    </message>
    <message>
        <source>&quot;apiVersion&quot; must be a whole number</source>
        <translation>&quot;apiVersion&quot; must be a whole number</translation>
    </message>
    <message>
        <source>it was made for version %1 of the host&apos;s interface, this host has version %2</source>
        <translation>it was made for version %1 of the host&apos;s interface, this host has version %2</translation>
    </message>
    <message>
        <source>&quot;settingsSchema&quot; must be a resource path, beginning with &quot;:/&quot;</source>
        <translation>&quot;settingsSchema&quot; must be a resource path, beginning with &quot;:/&quot;</translation>
    </message>
    <message>
        <source>it is not a Qt plugin that can be loaded here: %1</source>
        <translation>it is not a Qt plugin that can be loaded here: %1</translation>
    </message>
</context>
<context>
    <name>Rotate</name>
    <message numerus="yes">
        <source>%n plugin(s) can change the root key, and it takes exactly one</source>
        <translation>
            <numerusform>%n plugin can change the root key, and it takes exactly one</numerusform>
            <numerusform>%n plugins can change the root key, and it takes exactly one</numerusform>
        </translation>
    </message>
    <message>
        <source>an earlier run was interrupted, this one went on from there</source>
        <translation>an earlier run was interrupted, this one went on from there</translation>
    </message>
    <message>
        <source>now: %1</source>
        <translation>now: %1</translation>
    </message>
</context>
<context>
    <name>Secrets</name>
    <message>
        <source>there is no credentials directory</source>
        <translation>there is no credentials directory</translation>
    </message>
    <message>
        <source>set secrets.path, or start it by systemd with LoadCredential=</source>
        <translation>set secrets.path, or start it by systemd with LoadCredential=</translation>
    </message>
    <message>
        <source>the credentials directory %1 cannot be opened: %2</source>
        <translation>the credentials directory %1 cannot be opened: %2</translation>
    </message>
    <message>
        <source>check secrets.path and the rights of the user it runs as</source>
        <translation>check secrets.path and the rights of the user it runs as</translation>
    </message>
    <message>
        <source>the credentials directory %1 is open to others</source>
        <translation>the credentials directory %1 is open to others</translation>
    </message>
    <message>
        <source>make it the user&apos;s own: chmod 700 %1</source>
        <translation>make it the user&apos;s own: chmod 700 %1</translation>
    </message>
    <message>
        <source>the credentials directory %1 holds no %2</source>
        <translation>the credentials directory %1 holds no %2</translation>
    </message>
    <message>
        <source>write the file %1, readable by its owner only</source>
        <translation>write the file %1, readable by its owner only</translation>
    </message>
    <message>
        <source>%1 cannot be opened: %2</source>
        <translation>%1 cannot be opened: %2</translation>
    </message>
    <message>
        <source>check the rights of the user it runs as</source>
        <translation>check the rights of the user it runs as</translation>
    </message>
    <message>
        <source>%1 is not a file of at most %2 bytes</source>
        <translation>%1 is not a file of at most %2 bytes</translation>
    </message>
    <message>
        <source>write the secret alone into it</source>
        <translation>write the secret alone into it</translation>
    </message>
    <message>
        <source>%1 is open to others</source>
        <translation>%1 is open to others</translation>
    </message>
    <message>
        <source>make it the user&apos;s own: chmod 600 %1</source>
        <translation>make it the user&apos;s own: chmod 600 %1</translation>
    </message>
    <message>
        <source>%1 cannot be read: %2</source>
        <translation>%1 cannot be read: %2</translation>
    </message>
    <message>
        <source>check the disk and the rights of the user it runs as</source>
        <translation>check the disk and the rights of the user it runs as</translation>
    </message>
    <message>
        <source>the keychain cannot be asked for the secret %1: %2</source>
        <translation>the keychain cannot be asked for the secret %1: %2</translation>
    </message>
    <message>
        <source>start it in a desktop session with an unlocked keyring, or on a server set secrets.provider to credentials-directory</source>
        <translation>start it in a desktop session with an unlocked keyring, or on a server set secrets.provider to credentials-directory</translation>
    </message>
    <message>
        <source>the keychain holds no secret %1</source>
        <translation>the keychain holds no secret %1</translation>
    </message>
    <message>
        <source>store it under the service %1 with the user %2</source>
        <translation>store it under the service %1 with the user %2</translation>
    </message>
    <message>
        <source>it does not answer</source>
        <translation>it does not answer</translation>
    </message>
    <message>
        <source>the secret %1 is empty</source>
        <translation>the secret %1 is empty</translation>
    </message>
    <message>
        <source>write its value</source>
        <translation>write its value</translation>
    </message>
    <message>
        <source>the secret %1 is not 32 bytes in base64</source>
        <translation>the secret %1 is not 32 bytes in base64</translation>
    </message>
    <message>
        <source>make one with: head -c 32 /dev/urandom | base64</source>
        <translation>make one with: head -c 32 /dev/urandom | base64</translation>
    </message>
    <message>
        <source>the configuration holds no secret %1</source>
        <translation>the configuration holds no secret %1</translation>
    </message>
    <message>
        <source>write it into the configuration, or choose a secrets provider</source>
        <translation>write it into the configuration, or choose a secrets provider</translation>
    </message>
    <message>
        <source>the secret %1 cannot be written by this program</source>
        <translation>the secret %1 cannot be written by this program</translation>
    </message>
    <message>
        <source>the administrator writes it; make a root_key with: head -c 32 /dev/urandom | base64</source>
        <translation>the administrator writes it; make a root_key with: head -c 32 /dev/urandom | base64</translation>
    </message>
    <message>
        <source>the keyring is locked</source>
        <translation>the keyring is locked</translation>
    </message>
    <message>
        <source>it gives another value than was stored</source>
        <translation>it gives another value than was stored</translation>
    </message>
    <message>
        <source>it was not removed</source>
        <translation>it was not removed</translation>
    </message>
</context>
<context>
    <name>bridgehost::AccountSession</name>
    <message>
        <source>Nobody logged in within the time. Start it again.</source>
        <translation>Nobody logged in within the time. Start it again.</translation>
    </message>
    <message>
        <source>Logged in as %1 with the device %2. Start the bridge now.</source>
        <translation>Logged in as %1 with the device %2. Start the bridge now.</translation>
    </message>
    <message>
        <source>cannot listen on 127.0.0.1: %1</source>
        <translation>cannot listen on 127.0.0.1: %1</translation>
    </message>
    <message>
        <source>the login was given up</source>
        <translation>the login was given up</translation>
    </message>
    <message numerus="yes">
        <source>Open this address in a browser on this machine, within %n minute(s):</source>
        <translation>
            <numerusform>Open this address in a browser on this machine, within %n minute:</numerusform>
            <numerusform>Open this address in a browser on this machine, within %n minutes:</numerusform>
        </translation>
    </message>
    <message>
        <source>the logout was given up</source>
        <translation>the logout was given up</translation>
    </message>
    <message>
        <source>Logged out; nothing of the session is kept.</source>
        <translation>Logged out; nothing of the session is kept.</translation>
    </message>
    <message>
        <source>no configured plugin runs on an account</source>
        <translation>no configured plugin runs on an account</translation>
    </message>
</context>
<context>
    <name>bridgehost::BridgeHost</name>
    <message>
        <source>plugin %1 (%2) is not loaded: the configuration has no section plugins.%1</source>
        <translation>plugin %1 (%2) is not loaded: the configuration has no section plugins.%1</translation>
    </message>
    <message>
        <source>plugin %1 %2 from %3</source>
        <translation>plugin %1 %2 from %3</translation>
    </message>
    <message>
        <source>there is no such plugin in %1</source>
        <translation>there is no such plugin in %1</translation>
    </message>
    <message>
        <source>no plugin has a section, so there is nothing to run</source>
        <translation>no plugin has a section, so there is nothing to run</translation>
    </message>
    <message>
        <source>environment variable %1 matches no key and is left alone</source>
        <translation>environment variable %1 matches no key and is left alone</translation>
    </message>
    <message>
        <source>cannot listen on %1 port %2: %3</source>
        <translation>cannot listen on %1 port %2: %3</translation>
    </message>
    <message>
        <source>plugin %1 cannot start: %2</source>
        <translation>plugin %1 cannot start: %2</translation>
    </message>
    <message>
        <source>running</source>
        <translation>running</translation>
    </message>
    <message>
        <source>draining</source>
        <translation>draining</translation>
    </message>
    <message>
        <source>starting</source>
        <translation>starting</translation>
    </message>
    <message>
        <source>wait for the plugin to start; its messages are in the log</source>
        <translation>wait for the plugin to start; its messages are in the log</translation>
    </message>
</context>
<context>
    <name>bridgehost::LoadedPlugin</name>
    <message>
        <source>plugin %1 is %2 and cannot %3 now</source>
        <translation>plugin %1 is %2 and cannot %3 now</translation>
    </message>
    <message>
        <source>%1 cannot be loaded: %2</source>
        <translation>%1 cannot be loaded: %2</translation>
    </message>
    <message>
        <source>%1 states the plugin interface in its metadata but does not have it</source>
        <translation>%1 states the plugin interface in its metadata but does not have it</translation>
    </message>
    <message>
        <source>%1 does not hold its settings schema %2</source>
        <translation>%1 does not hold its settings schema %2</translation>
    </message>
    <message>
        <source>the settings schema %2 in %1 is not a JSON schema with &quot;properties&quot;</source>
        <translation>the settings schema %2 in %1 is not a JSON schema with &quot;properties&quot;</translation>
    </message>
    <message>
        <source>plugin %1 gave up its start</source>
        <translation>plugin %1 gave up its start</translation>
    </message>
    <message>
        <source>this folder does not exist</source>
        <translation>this folder does not exist</translation>
    </message>
    <message>
        <source>its id &quot;%1&quot; is that of %2 already</source>
        <translation>its id &quot;%1&quot; is that of %2 already</translation>
    </message>
</context>
<context>
    <name>voip::BackupSearch</name>
    <message>
        <source>the account has no key backup: switch it on in one of its other clients</source>
        <translation>the account has no key backup: switch it on in one of its other clients</translation>
    </message>
    <message>
        <source>the homeserver did not say which key backup the account has: %1</source>
        <translation>the homeserver did not say which key backup the account has: %1</translation>
    </message>
    <message>
        <source>the account&apos;s key backup is of an algorithm that the bridge does not write</source>
        <translation>the account&apos;s key backup is of an algorithm that the bridge does not write</translation>
    </message>
    <message>
        <source>what the homeserver says of the account&apos;s key backup cannot be used</source>
        <translation>what the homeserver says of the account&apos;s key backup cannot be used</translation>
    </message>
    <message>
        <source>the account&apos;s key backup has another key than the one that the account&apos;s recovery keeps: nothing is put there</source>
        <translation>the account&apos;s key backup has another key than the one that the account&apos;s recovery keeps: nothing is put there</translation>
    </message>
</context>
<context>
    <name>voip::MatrixVoipPlugin</name>
    <message>
        <source>The plugin was initialised before.</source>
        <translation>The plugin was initialised before.</translation>
    </message>
    <message>
        <source>The plugin cannot be started now.</source>
        <translation>The plugin cannot be started now.</translation>
    </message>
    <message>
        <source>The root key is changed between initialise() and stop(), while nothing runs.</source>
        <translation>The root key is changed between initialise() and stop(), while nothing runs.</translation>
    </message>
    <message>
        <source>plugins.matrixvoip.mode client keeps its session sealed and needs a root key: give secrets.root_key, or choose a secrets provider.</source>
        <translation>plugins.matrixvoip.mode client keeps its session sealed and needs a root key: give secrets.root_key, or choose a secrets provider.</translation>
    </message>
    <message>
        <source>The plugin runs, or was stopped.</source>
        <translation>The plugin runs, or was stopped.</translation>
    </message>
    <message>
        <source>plugins.matrixvoip.mode is appservice: there is no account to log in.</source>
        <translation>plugins.matrixvoip.mode is appservice: there is no account to log in.</translation>
    </message>
</context>
<context>
    <name>voip::OwnerSignature</name>
    <message>
        <source>the homeserver did not say which devices the account has: %1</source>
        <translation>the homeserver did not say which devices the account has: %1</translation>
    </message>
    <message>
        <source>the account has no cross-signing identity: set up recovery in one of its other clients</source>
        <translation>the account has no cross-signing identity: set up recovery in one of its other clients</translation>
    </message>
    <message>
        <source>the self-signing key that the account keeps is not the one of its identity</source>
        <translation>the self-signing key that the account keeps is not the one of its identity</translation>
    </message>
    <message>
        <source>the homeserver did not take the signature</source>
        <translation>the homeserver did not take the signature</translation>
    </message>
</context>
<context>
    <name>voip::Pipeline</name>
    <message>
        <source>The bridge is starting. Try again later.</source>
        <translation>The bridge is starting. Try again later.</translation>
    </message>
    <message>
        <source>Start the database, or correct `database` in the configuration.</source>
        <translation>Start the database, or correct `database` in the configuration.</translation>
    </message>
    <message>
        <source>The database was written by a newer version: install that one.</source>
        <translation>The database was written by a newer version: install that one.</translation>
    </message>
    <message>
        <source>The change could not be stored and is not in force. Try again.</source>
        <translation>The change could not be stored and is not in force. Try again.</translation>
    </message>
    <message>
        <source>percent must be a whole number from 0 to 100.</source>
        <translation>percent must be a whole number from 0 to 100.</translation>
    </message>
    <message>
        <source>The homeserver did not answer in time. Calls inside one network still work.</source>
        <translation>The homeserver did not answer in time. Calls inside one network still work.</translation>
    </message>
    <message>
        <source>The homeserver gave no TURN servers (%1).</source>
        <translation>The homeserver gave no TURN servers (%1).</translation>
    </message>
    <message>
        <source>No timeline is kept of this call.</source>
        <translation>No timeline is kept of this call.</translation>
    </message>
    <message>
        <source>The bridge&apos;s device of %1 is not signed by its owner: strict clients refuse its calls.</source>
        <translation>The bridge&apos;s device of %1 is not signed by its owner: strict clients refuse its calls.</translation>
    </message>
    <message>
        <source>Give account.recovery_key, or verify the session in another client of the account.</source>
        <translation>Give account.recovery_key, or verify the session in another client of the account.</translation>
    </message>
    <message>
        <source>Strict clients refuse the calls of a device that its owner has not signed.</source>
        <translation>Strict clients refuse the calls of a device that its owner has not signed.</translation>
    </message>
    <message>
        <source>There is no such verification.</source>
        <translation>There is no such verification.</translation>
    </message>
    <message>
        <source>The verification is in the state %1.</source>
        <translation>The verification is in the state %1.</translation>
    </message>
    <message>
        <source>SQLite cannot be shared by several workers (plugins.matrixvoip.workers).</source>
        <translation>SQLite cannot be shared by several workers (plugins.matrixvoip.workers).</translation>
    </message>
    <message>
        <source>Use `database: { driver: postgresql }`, or leave `workers` out.</source>
        <translation>Use `database: { driver: postgresql }`, or leave `workers` out.</translation>
    </message>
    <message>
        <source>the account&apos;s key backup takes nothing from the bridge: it is looked at again within the hour</source>
        <translation>the account&apos;s key backup takes nothing from the bridge: it is looked at again within the hour</translation>
    </message>
    <message>
        <source>Calls go on. Keys of encrypted calls are not backed up until then.</source>
        <translation>Calls go on. Keys of encrypted calls are not backed up until then.</translation>
    </message>
</context>
<context>
    <name>voip::RootKey</name>
    <message>
        <source>The keychain has no root_key, but this database was made with one: restore the keychain.</source>
        <translation>The keychain has no root_key, but this database was made with one: restore the keychain.</translation>
    </message>
    <message>
        <source>root_key is not the key of this database, and root_key_next cannot be read: %1</source>
        <translation>root_key is not the key of this database, and root_key_next cannot be read: %1</translation>
    </message>
    <message>
        <source>There is no root_key, but this database was made with one: put that key back.</source>
        <translation>There is no root_key, but this database was made with one: put that key back.</translation>
    </message>
    <message>
        <source>root_key is not the key this database was made with: put that key back, or restore the database that belongs to this one.</source>
        <translation>root_key is not the key this database was made with: put that key back, or restore the database that belongs to this one.</translation>
    </message>
    <message>
        <source>Rename root_key_next to root_key in the credentials directory, and keep the old key with the backups that were made with it.</source>
        <translation>Rename root_key_next to root_key in the credentials directory, and keep the old key with the backups that were made with it.</translation>
    </message>
    <message>
        <source>There is no root_key, only root_key_next. %1</source>
        <translation>There is no root_key, only root_key_next. %1</translation>
    </message>
    <message>
        <source>root_key is not the key of the database, root_key_next is, and is used.</source>
        <translation>root_key is not the key of the database, root_key_next is, and is used.</translation>
    </message>
    <message>
        <source>A change of the root key was interrupted; it is finished now.</source>
        <translation>A change of the root key was interrupted; it is finished now.</translation>
    </message>
    <message>
        <source>there is none, only root_key_next</source>
        <translation>there is none, only root_key_next</translation>
    </message>
    <message>
        <source>there is none, and the database was never opened with one</source>
        <translation>there is none, and the database was never opened with one</translation>
    </message>
    <message>
        <source>it is the one of the database</source>
        <translation>it is the one of the database</translation>
    </message>
    <message>
        <source>the database takes it at the first start</source>
        <translation>the database takes it at the first start</translation>
    </message>
    <message>
        <source>the key of the database is root_key_next</source>
        <translation>the key of the database is root_key_next</translation>
    </message>
    <message>
        <source>The next start puts it in its place.</source>
        <translation>The next start puts it in its place.</translation>
    </message>
    <message>
        <source>it is made at the first start</source>
        <translation>it is made at the first start</translation>
    </message>
    <message>
        <source>Nothing that is sealed in the database can be read with another key.</source>
        <translation>Nothing that is sealed in the database can be read with another key.</translation>
    </message>
</context>
<context>
    <name>voip::Rotation</name>
    <message>
        <source>A root key has the wrong size.</source>
        <translation>A root key has the wrong size.</translation>
    </message>
    <message>
        <source>Give the command again: it finds out how far it came.</source>
        <translation>Give the command again: it finds out how far it came.</translation>
    </message>
    <message>
        <source>Nothing was changed.</source>
        <translation>Nothing was changed.</translation>
    </message>
    <message>
        <source>There is no new key: write it into the file root_key_next of the credentials directory (head -c 32 /dev/urandom | base64), and give the command again.</source>
        <translation>There is no new key: write it into the file root_key_next of the credentials directory (head -c 32 /dev/urandom | base64), and give the command again.</translation>
    </message>
    <message>
        <source>root_key_next is the same key as root_key: write a new one into it.</source>
        <translation>root_key_next is the same key as root_key: write a new one into it.</translation>
    </message>
    <message>
        <source>The root key stands in the configuration, which this program does not write. Move the secrets into the keychain or a credentials directory (secrets.provider), the key as root_key, start once, and give the command again.</source>
        <translation>The root key stands in the configuration, which this program does not write. Move the secrets into the keychain or a credentials directory (secrets.provider), the key as root_key, start once, and give the command again.</translation>
    </message>
    <message>
        <source>The database was never opened with a root key: there is nothing to change.</source>
        <translation>The database was never opened with a root key: there is nothing to change.</translation>
    </message>
    <message>
        <source>The database has the new root key since an earlier run.</source>
        <translation>The database has the new root key since an earlier run.</translation>
    </message>
    <message numerus="yes">
        <source>%n sealed value(s) and the database have the new root key.</source>
        <translation>
            <numerusform>%n sealed value and the database have the new root key.</numerusform>
            <numerusform>%n sealed values and the database have the new root key.</numerusform>
        </translation>
    </message>
    <message>
        <source>Neither root_key nor root_key_next is the key of this database: put it back first.</source>
        <translation>Neither root_key nor root_key_next is the key of this database: put it back first.</translation>
    </message>
    <message>
        <source>The keychain still calls it root_key_next (%1): give the command again, or start; both put it right.</source>
        <translation>The keychain still calls it root_key_next (%1): give the command again, or start; both put it right.</translation>
    </message>
</context>
<context>
    <name>voip::SealedSession</name>
    <message>
        <source>The session that was kept cannot be opened: it was damaged, or sealed with another root key. Log in again with bridge-host --login.</source>
        <translation>The session that was kept cannot be opened: it was damaged, or sealed with another root key. Log in again with bridge-host --login.</translation>
    </message>
</context>
<context>
    <name>voip::Settings</name>
    <message>
        <source>must be a whole number from %1 to %2</source>
        <translation>must be a whole number from %1 to %2</translation>
    </message>
    <message>
        <source>must be a list of user ids</source>
        <translation>must be a list of user ids</translation>
    </message>
    <message>
        <source>must be true or false</source>
        <translation>must be true or false</translation>
    </message>
    <message>
        <source>is not a setting of this plugin</source>
        <translation>is not a setting of this plugin</translation>
    </message>
    <message>
        <source>must be &quot;send&quot;, &quot;hide_unencrypted&quot; or &quot;hide&quot;</source>
        <translation>must be &quot;send&quot;, &quot;hide_unencrypted&quot; or &quot;hide&quot;</translation>
    </message>
    <message>
        <source>must be a Matrix id such as @alice:example.org</source>
        <translation>must be a Matrix id such as @alice:example.org</translation>
    </message>
    <message>
        <source>must be &quot;token&quot;, &quot;password&quot; or &quot;sso&quot;</source>
        <translation>must be &quot;token&quot;, &quot;password&quot; or &quot;sso&quot;</translation>
    </message>
    <message>
        <source>must be 1 to %1 characters</source>
        <translation>must be 1 to %1 characters</translation>
    </message>
    <message>
        <source>must be &quot;direct&quot;, &quot;all&quot; or &quot;none&quot;</source>
        <translation>must be &quot;direct&quot;, &quot;all&quot; or &quot;none&quot;</translation>
    </message>
    <message>
        <source>must be an access token: printable, without spaces</source>
        <translation>must be an access token: printable, without spaces</translation>
    </message>
    <message>
        <source>must be a map of keys and values</source>
        <translation>must be a map of keys and values</translation>
    </message>
    <message>
        <source>is missing</source>
        <translation>is missing</translation>
    </message>
    <message>
        <source>client serves exactly one user, but `users` lists %1</source>
        <translation>client serves exactly one user, but `users` lists %1</translation>
    </message>
    <message>
        <source>is not of homeserver.server_name, which is %1</source>
        <translation>is not of homeserver.server_name, which is %1</translation>
    </message>
    <message>
        <source>must be &quot;appservice&quot; or &quot;client&quot;</source>
        <translation>must be &quot;appservice&quot; or &quot;client&quot;</translation>
    </message>
    <message>
        <source>is missing: mode client needs it</source>
        <translation>is missing: mode client needs it</translation>
    </message>
    <message>
        <source>belongs to mode client only</source>
        <translation>belongs to mode client only</translation>
    </message>
    <message>
        <source>must be the recovery key of the account, as its client showed it</source>
        <translation>must be the recovery key of the account, as its client showed it</translation>
    </message>
    <message>
        <source>must be &quot;all&quot;, &quot;cross-signed&quot; or &quot;verified&quot;</source>
        <translation>must be &quot;all&quot;, &quot;cross-signed&quot; or &quot;verified&quot;</translation>
    </message>
    <message>
        <source>must be an object: Matrix user id -&gt; public master key (unpadded base64)</source>
        <translation>must be an object: Matrix user id -&gt; public master key (unpadded base64)</translation>
    </message>
    <message>
        <source>is not for mode client: one account is one session</source>
        <translation>is not for mode client: one account is one session</translation>
    </message>
    <message>
        <source>needs the account&apos;s recovery key: give account.recovery_key or the secret account_recovery_key, or set it to false</source>
        <translation>needs the account&apos;s recovery key: give account.recovery_key or the secret account_recovery_key, or set it to false</translation>
    </message>
</context>
<context>
    <name>voip::StoredSecret</name>
    <message>
        <source>account.recovery_key is not a recovery key: copy it again</source>
        <translation>account.recovery_key is not a recovery key: copy it again</translation>
    </message>
    <message>
        <source>the account keeps no %1 (%2): set up recovery in one of its other clients</source>
        <translation>the account keeps no %1 (%2): set up recovery in one of its other clients</translation>
    </message>
    <message>
        <source>account.recovery_key is not the one of this account&apos;s recovery</source>
        <translation>account.recovery_key is not the one of this account&apos;s recovery</translation>
    </message>
    <message>
        <source>the account&apos;s %1 cannot be opened with account.recovery_key</source>
        <translation>the account&apos;s %1 cannot be opened with account.recovery_key</translation>
    </message>
</context>
<context>
    <name>voip::effects::Conversations</name>
    <message>
        <source>room_id is not a Matrix room id.</source>
        <translation>room_id is not a Matrix room id.</translation>
    </message>
    <message>
        <source>matrix_user is not the Matrix id of somebody else.</source>
        <translation>matrix_user is not the Matrix id of somebody else.</translation>
    </message>
    <message>
        <source>Calls are placed only in rooms with exactly one other member.</source>
        <translation>Calls are placed only in rooms with exactly one other member.</translation>
    </message>
    <message>
        <source>The homeserver does not answer. Try again later.</source>
        <translation>The homeserver does not answer. Try again later.</translation>
    </message>
    <message>
        <source>The homeserver refused to invite this user (%1).</source>
        <translation>The homeserver refused to invite this user (%1).</translation>
    </message>
    <message>
        <source>The room could not be entered in time. Try again later.</source>
        <translation>The room could not be entered in time. Try again later.</translation>
    </message>
    <message>
        <source>The homeserver did not let the user into this room (%1).</source>
        <translation>The homeserver did not let the user into this room (%1).</translation>
    </message>
</context>
<context>
    <name>voip::effects::Desk</name>
    <message>
        <source>The SDP must start with v=0 and have at most %1 characters.</source>
        <translation>The SDP must start with v=0 and have at most %1 characters.</translation>
    </message>
    <message>
        <source>There is no such user.</source>
        <translation>There is no such user.</translation>
    </message>
    <message>
        <source>idempotency_key must have at most %1 characters, and only ones that can be printed.</source>
        <translation>idempotency_key must have at most %1 characters, and only ones that can be printed.</translation>
    </message>
    <message>
        <source>streams must hold at most %1 streams.</source>
        <translation>streams must hold at most %1 streams.</translation>
    </message>
    <message>
        <source>Exactly one of target_user and target_call is needed.</source>
        <translation>Exactly one of target_user and target_call is needed.</translation>
    </message>
    <message>
        <source>target_user is not a Matrix id.</source>
        <translation>target_user is not a Matrix id.</translation>
    </message>
    <message>
        <source>At least one of audio_muted and video_muted is needed.</source>
        <translation>At least one of audio_muted and video_muted is needed.</translation>
    </message>
    <message>
        <source>Each text of identity must have at most %1 characters.</source>
        <translation>Each text of identity must have at most %1 characters.</translation>
    </message>
</context>
<context>
    <name>voip::effects::Lane</name>
    <message>
        <source>This idempotency_key was used for another request.</source>
        <translation>This idempotency_key was used for another request.</translation>
    </message>
    <message>
        <source>Matrix calls are switched off for this user.</source>
        <translation>Matrix calls are switched off for this user.</translation>
    </message>
    <message>
        <source>The bridge could not store this.</source>
        <translation>The bridge could not store this.</translation>
    </message>
    <message>
        <source>This room is encrypted, and the bridge has no root key to keep keys with.</source>
        <translation>This room is encrypted, and the bridge has no root key to keep keys with.</translation>
    </message>
    <message>
        <source>Too many requests of this user are waiting. Try again later.</source>
        <translation>Too many requests of this user are waiting. Try again later.</translation>
    </message>
    <message>
        <source>Too much of this user waits for the homeserver. Try again later.</source>
        <translation>Too much of this user waits for the homeserver. Try again later.</translation>
    </message>
</context>
<context>
    <name>voip::effects::Present</name>
    <message>
        <source>The bridge is stopping.</source>
        <translation>The bridge is stopping.</translation>
    </message>
    <message>
        <source>There is no such call.</source>
        <translation>There is no such call.</translation>
    </message>
    <message>
        <source>The call is %1; that is not possible now.</source>
        <translation>The call is %1; that is not possible now.</translation>
    </message>
    <message>
        <source>A call of the other side is ringing already: answer that one.</source>
        <translation>A call of the other side is ringing already: answer that one.</translation>
    </message>
    <message>
        <source>There is a call in this conversation already; it is %1.</source>
        <translation>There is a call in this conversation already; it is %1.</translation>
    </message>
    <message>
        <source>There is no such conversation.</source>
        <translation>There is no such conversation.</translation>
    </message>
    <message>
        <source>Calls are placed only in rooms with exactly one other member.</source>
        <translation>Calls are placed only in rooms with exactly one other member.</translation>
    </message>
    <message>
        <source>The user is not in this room (yet).</source>
        <translation>The user is not in this room (yet).</translation>
    </message>
    <message>
        <source>The bridge cannot reach its database. Try again later.</source>
        <translation>The bridge cannot reach its database. Try again later.</translation>
    </message>
    <message>
        <source>An offer of the other side waits: roll back your own, answer theirs, then offer again.</source>
        <translation>An offer of the other side waits: roll back your own, answer theirs, then offer again.</translation>
    </message>
    <message>
        <source>No offer of the other side waits for an answer, or its time is up: send an offer.</source>
        <translation>No offer of the other side waits for an answer, or its time is up: send an offer.</translation>
    </message>
    <message>
        <source>The other side&apos;s client cannot do that. The call goes on as it is.</source>
        <translation>The other side&apos;s client cannot do that. The call goes on as it is.</translation>
    </message>
    <message>
        <source>The other side asks for no transfer of this call, or its time is up: there is nothing to accept or reject.</source>
        <translation>The other side asks for no transfer of this call, or its time is up: there is nothing to accept or reject.</translation>
    </message>
    <message>
        <source>A transfer of this call is under way: wait until it has succeeded or failed.</source>
        <translation>A transfer of this call is under way: wait until it has succeeded or failed.</translation>
    </message>
    <message>
        <source>There are too many calls within a minute. Try again later.</source>
        <translation>There are too many calls within a minute. Try again later.</translation>
    </message>
    <message>
        <source>This user&apos;s calls are being handed to another worker. Try again.</source>
        <translation>This user&apos;s calls are being handed to another worker. Try again.</translation>
    </message>
</context>
<context>
    <name>voip::effects::Watch</name>
    <message>
        <source>The database answers.</source>
        <translation>The database answers.</translation>
    </message>
    <message>
        <source>The database does not answer.</source>
        <translation>The database does not answer.</translation>
    </message>
    <message>
        <source>Start it, or correct `database` in the configuration.</source>
        <translation>Start it, or correct `database` in the configuration.</translation>
    </message>
    <message>
        <source>The homeserver answers, and reaches us in %1 ms.</source>
        <translation>The homeserver answers, and reaches us in %1 ms.</translation>
    </message>
    <message>
        <source>The homeserver does not answer as it should: %1 %2</source>
        <translation>The homeserver does not answer as it should: %1 %2</translation>
    </message>
    <message>
        <source>Look whether it runs, whether `homeserver.url` is right, and whether the registration file it has read is the one that bridge-host made.</source>
        <translation>Look whether it runs, whether `homeserver.url` is right, and whether the registration file it has read is the one that bridge-host made.</translation>
    </message>
    <message>
        <source>The homeserver offers no TURN server.</source>
        <translation>The homeserver offers no TURN server.</translation>
    </message>
    <message>
        <source>Calls between different networks may fail: set turn_uris at the homeserver.</source>
        <translation>Calls between different networks may fail: set turn_uris at the homeserver.</translation>
    </message>
    <message>
        <source>Nothing is known against the TURN server.</source>
        <translation>Nothing is known against the TURN server.</translation>
    </message>
    <message>
        <source>The homeserver answers.</source>
        <translation>The homeserver answers.</translation>
    </message>
    <message>
        <source>Rows of the database cannot be read and are left out (%1 times).</source>
        <translation>Rows of the database cannot be read and are left out (%1 times).</translation>
    </message>
    <message>
        <source>The log names them. Look after the disk, and restore the database if they are missed.</source>
        <translation>The log names them. Look after the disk, and restore the database if they are missed.</translation>
    </message>
</context>
<context>
    <name>voip::homeserver::Session</name>
    <message>
        <source>The session of %1 is over: the homeserver does not accept its token any more. Log in again with bridge-host --login.</source>
        <translation>The session of %1 is over: the homeserver does not accept its token any more. Log in again with bridge-host --login.</translation>
    </message>
    <message>
        <source>loginToken is no token.</source>
        <translation>loginToken is no token.</translation>
    </message>
    <message>
        <source>There is no access token for %1: give account.token, or the secret account_token.</source>
        <translation>There is no access token for %1: give account.token, or the secret account_token.</translation>
    </message>
    <message>
        <source>There is no password for %1: give account.password, or the secret account_password.</source>
        <translation>There is no password for %1: give account.password, or the secret account_password.</translation>
    </message>
    <message>
        <source>%1 is not logged in: do so with bridge-host --login.</source>
        <translation>%1 is not logged in: do so with bridge-host --login.</translation>
    </message>
    <message>
        <source>account.token is not a token: it must be printable and without spaces.</source>
        <translation>account.token is not a token: it must be printable and without spaces.</translation>
    </message>
    <message>
        <source>The homeserver does not offer this way to log in. It offers: %1.</source>
        <translation>The homeserver does not offer this way to log in. It offers: %1.</translation>
    </message>
    <message>
        <source>This login is that of %1, but account.user is %2.</source>
        <translation>This login is that of %1, but account.user is %2.</translation>
    </message>
    <message>
        <source>The session could not be stored.</source>
        <translation>The session could not be stored.</translation>
    </message>
    <message>
        <source>Logged in as %1 with the device %2.</source>
        <translation>Logged in as %1 with the device %2.</translation>
    </message>
    <message>
        <source>%1 is not logged in here.</source>
        <translation>%1 is not logged in here.</translation>
    </message>
    <message>
        <source>The session was ended, but could not be removed from the database.</source>
        <translation>The session was ended, but could not be removed from the database.</translation>
    </message>
    <message>
        <source>The homeserver does not answer: %1</source>
        <translation>The homeserver does not answer: %1</translation>
    </message>
    <message>
        <source>The homeserver refused the login of %1: %2 %3</source>
        <translation>The homeserver refused the login of %1: %2 %3</translation>
    </message>
    <message>
        <source>The homeserver wants the session of %1 to be renewed.</source>
        <translation>The homeserver wants the session of %1 to be renewed.</translation>
    </message>
    <message>
        <source>Nothing, as long as the homeserver answers.</source>
        <translation>Nothing, as long as the homeserver answers.</translation>
    </message>
    <message>
        <source>The homeserver has ended the session of %1: it was logged out somewhere else.</source>
        <translation>The homeserver has ended the session of %1: it was logged out somewhere else.</translation>
    </message>
    <message>
        <source>The session of %1 is over and cannot be renewed.</source>
        <translation>The session of %1 is over and cannot be renewed.</translation>
    </message>
    <message>
        <source>Stop the bridge, log in again with bridge-host --login, and start it.</source>
        <translation>Stop the bridge, log in again with bridge-host --login, and start it.</translation>
    </message>
</context>
<context>
    <name>voip::homeserver::SyncLoop</name>
    <message>
        <source>The homeserver tells what happens.</source>
        <translation>The homeserver tells what happens.</translation>
    </message>
    <message>
        <source>/sync fails: %1</source>
        <translation>/sync fails: %1</translation>
    </message>
    <message>
        <source>Look whether the homeserver runs, and whether `homeserver.url` is right.</source>
        <translation>Look whether the homeserver runs, and whether `homeserver.url` is right.</translation>
    </message>
</context>
</TS>
