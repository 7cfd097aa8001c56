<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de_DE">
<context>
    <name>AccountPage</name>
    <message>
        <source>Not like this</source>
        <translation>So nicht</translation>
    </message>
    <message>
        <source>This page is only read.</source>
        <translation>Diese Seite wird nur gelesen.</translation>
    </message>
    <message>
        <source>There is no such page</source>
        <translation>Diese Seite gibt es nicht</translation>
    </message>
    <message>
        <source>Nothing is here.</source>
        <translation>Hier ist nichts.</translation>
    </message>
    <message>
        <source>This login is not known here</source>
        <translation>Diese Anmeldung ist hier nicht bekannt</translation>
    </message>
    <message>
        <source>It was used already, or is that of another start. Start bridge-host --login again.</source>
        <translation>Sie wurde schon benutzt oder gehört zu einem anderen Start. Starten Sie bridge-host --login noch einmal.</translation>
    </message>
    <message>
        <source>The login did not work</source>
        <translation>Die Anmeldung hat nicht geklappt</translation>
    </message>
    <message>
        <source>The field loginToken is missing, or too long.</source>
        <translation>Das Feld loginToken fehlt oder ist zu lang.</translation>
    </message>
    <message>
        <source>You are logged in</source>
        <translation>Sie sind angemeldet</translation>
    </message>
    <message>
        <source>%1 takes calls through this bridge as soon as it is started. You can close this page.</source>
        <translation>%1 nimmt Anrufe über diese Bridge an, sobald sie gestartet ist. Sie können diese Seite schließen.</translation>
    </message>
</context>
<context>
    <name>Check</name>
    <message>
        <source>ERROR %1</source>
        <translation>FEHLER %1</translation>
    </message>
    <message numerus="yes">
        <source>%n error(s)</source>
        <translation>
            <numerusform>%n Fehler</numerusform>
            <numerusform>%n Fehler</numerusform>
        </translation>
    </message>
    <message>
        <source>all is well</source>
        <translation>alles in Ordnung</translation>
    </message>
    <message>
        <source>note  environment variable %1 is set</source>
        <translation>Hinweis Umgebungsvariable %1 ist gesetzt</translation>
    </message>
    <message>
        <source>ok    configuration %1</source>
        <translation>ok    Konfiguration %1</translation>
    </message>
    <message>
        <source>note  %1</source>
        <translation>Hinweis %1</translation>
    </message>
    <message>
        <source>ok    %1</source>
        <translation>ok    %1</translation>
    </message>
    <message>
        <source>note  %1; %2</source>
        <translation>Hinweis %1; %2</translation>
    </message>
</context>
<context>
    <name>Config</name>
    <message>
        <source>must be at most 1024 printable characters without spaces</source>
        <translation>darf höchstens 1024 druckbare Zeichen ohne Leerzeichen haben</translation>
    </message>
    <message>
        <source>must be an http or https address</source>
        <translation>muss eine http- oder https-Adresse sein</translation>
    </message>
    <message>
        <source>must be an address without path, query or user</source>
        <translation>muss eine Adresse ohne Pfad, Abfrage oder Benutzer sein</translation>
    </message>
    <message>
        <source>must hold origins such as https://phone.example.org, without a path</source>
        <translation>muss Ursprünge wie https://phone.example.org ohne Pfad enthalten</translation>
    </message>
    <message>
        <source>must be ADDRESS:PORT with a numeric address</source>
        <translation>muss ADRESSE:PORT mit einer Zahlenadresse sein</translation>
    </message>
    <message>
        <source>must be configuration, keychain or credentials-directory</source>
        <translation>muss configuration, keychain oder credentials-directory sein</translation>
    </message>
    <message>
        <source>belongs to the provider credentials-directory only</source>
        <translation>gehört nur zum Anbieter credentials-directory</translation>
    </message>
    <message>
        <source>belongs to the provider configuration only</source>
        <translation>gehört nur zum Anbieter configuration</translation>
    </message>
    <message>
        <source>must be 32 bytes in base64</source>
        <translation>müssen 32 Bytes in Base64 sein</translation>
    </message>
    <message>
        <source>holds more than 100000 users</source>
        <translation>enthält mehr als 100000 Benutzer</translation>
    </message>
    <message>
        <source>must be 1 to 64 of the characters a-z 0-9 . _ = -</source>
        <translation>müssen 1 bis 64 der Zeichen a-z 0-9 . _ = - sein</translation>
    </message>
    <message>
        <source>must be at most 256 characters without control characters</source>
        <translation>darf höchstens 256 Zeichen ohne Steuerzeichen haben</translation>
    </message>
    <message>
        <source>is another user&apos;s already</source>
        <translation>gehört schon einem anderen Benutzer</translation>
    </message>
    <message>
        <source>must be of the characters a-z 0-9 . _ = / + -</source>
        <translation>darf nur die Zeichen a-z 0-9 . _ = / + - haben</translation>
    </message>
    <message>
        <source>is not a server name</source>
        <translation>ist kein Servername</translation>
    </message>
    <message>
        <source>must be of the characters A-Z a-z 0-9 . _ -</source>
        <translation>darf nur die Zeichen A-Z a-z 0-9 . _ - haben</translation>
    </message>
    <message>
        <source>must be sqlite or postgresql</source>
        <translation>muss sqlite oder postgresql sein</translation>
    </message>
    <message>
        <source>the file is over 1 MiB</source>
        <translation>die Datei ist größer als 1 MiB</translation>
    </message>
    <message>
        <source>this is not YAML: %1</source>
        <translation>das ist kein YAML: %1</translation>
    </message>
    <message>
        <source>the file must be a map of keys and values</source>
        <translation>die Datei muss aus Schlüsseln und Werten bestehen</translation>
    </message>
    <message>
        <source>the file cannot be read: %1</source>
        <translation>die Datei kann nicht gelesen werden: %1</translation>
    </message>
    <message>
        <source>must differ from appservice.as_token</source>
        <translation>muss sich von appservice.as_token unterscheiden</translation>
    </message>
    <message>
        <source>must differ from the tokens of the users</source>
        <translation>muss sich von den Token der Benutzer unterscheiden</translation>
    </message>
    <message>
        <source>is given twice</source>
        <translation>ist zweimal angegeben</translation>
    </message>
    <message>
        <source>is missing (the environment may give it as %1)</source>
        <translation>fehlt (die Umgebung kann es als %1 angeben)</translation>
    </message>
    <message>
        <source>must be text; put it in quotes</source>
        <translation>muss Text sein; in Anführungszeichen setzen</translation>
    </message>
    <message>
        <source>must be text</source>
        <translation>muss Text sein</translation>
    </message>
    <message>
        <source>is empty</source>
        <translation>ist leer</translation>
    </message>
    <message>
        <source>must be a whole number</source>
        <translation>muss eine ganze Zahl sein</translation>
    </message>
    <message>
        <source>must be between %1 and %2</source>
        <translation>muss zwischen %1 und %2 liegen</translation>
    </message>
    <message>
        <source>cannot be read: %1</source>
        <translation>kann nicht gelesen werden: %1</translation>
    </message>
    <message>
        <source>must be a list of texts</source>
        <translation>muss eine Liste von Texten sein</translation>
    </message>
    <message>
        <source>must be a map of keys and values</source>
        <translation>muss aus Schlüsseln und Werten bestehen</translation>
    </message>
    <message>
        <source>must be a list of maps</source>
        <translation>muss eine Liste von Zuordnungen sein</translation>
    </message>
    <message>
        <source>is not a known key</source>
        <translation>ist kein bekannter Schlüssel</translation>
    </message>
</context>
<context>
    <name>Main</name>
    <message>
        <source>Connects a call service to Matrix through plugins.</source>
        <translation>Verbindet einen Anrufdienst durch Plugins mit Matrix.</translation>
    </message>
    <message>
        <source>The configuration file (YAML).</source>
        <translation>Die Konfigurationsdatei (YAML).</translation>
    </message>
    <message>
        <source>Write the appservice registration for the homeserver, and exit.</source>
        <translation>Die Appservice-Registrierung für den Homeserver schreiben und beenden.</translation>
    </message>
    <message>
        <source>Check configuration, plugins and database, print what was found, exit.</source>
        <translation>Konfiguration, Plugins und Datenbank prüfen, den Befund ausgeben und beenden.</translation>
    </message>
    <message>
        <source>use it with --config FILE; --help tells more</source>
        <translation>mit --config DATEI aufrufen; --help sagt mehr</translation>
    </message>
    <message>
        <source>Change the root key of what is sealed in the database, and exit. The bridge must not be running.</source>
        <translation>Den Wurzelschlüssel dessen wechseln, was in der Datenbank versiegelt ist, und beenden. Die Brücke darf nicht laufen.</translation>
    </message>
    <message>
        <source>mode client runs on an account: it is not registered</source>
        <translation>mode client läuft auf einem Konto: es wird nicht registriert</translation>
    </message>
    <message>
        <source>Log in to the account that a plugin runs on (mode client), and exit.</source>
        <translation>Das Konto anmelden, auf dem ein Plugin läuft (mode client), und beenden.</translation>
    </message>
    <message>
        <source>Log out of that account, and exit.</source>
        <translation>Dieses Konto abmelden und beenden.</translation>
    </message>
</context>
<context>
    <name>PluginMetadata</name>
    <message>
        <source>&quot;%1&quot; does not name a language, as in &quot;%2[de]&quot;</source>
        <translation>„%1“ nennt keine Sprache wie in „%2[de]“</translation>
    </message>
    <message>
        <source>&quot;%1&quot; must be text and not empty</source>
        <translation>„%1“ muss Text und darf nicht leer sein</translation>
    </message>
    <message>
        <source>&quot;%1&quot; is missing</source>
        <translation>„%1“ fehlt</translation>
    </message>
    <message>
        <source>its interface is &quot;%1&quot;, this host takes &quot;%2&quot;</source>
        <translation>seine Schnittstelle ist „%1“, dieser Host nimmt „%2“</translation>
    </message>
    <message>
        <source>it carries no metadata</source>
        <translation>es trägt keine Metadaten</translation>
    </message>
    <message>
        <source>&quot;%1&quot; must be text</source>
        <translation>„%1“ muss Text sein</translation>
    </message>
    <message>
        <source>&quot;id&quot; is &quot;%1&quot;; it must be up to 32 of a-z 0-9 _, begin with a letter, and not be &quot;path&quot;</source>
        <translation>„id“ ist „%1“; es dürfen bis zu 32 Zeichen aus a-z 0-9 _ sein, am Anfang ein Buchstabe, und nicht „path“</translation>
    </message>
    <message>
        <source>&quot;version&quot; is &quot;%1&quot;; it must be a semantic version such as 1.2.3</source>
        <translation>„version“ ist „%1“; es muss eine semantische Version wie 1.2.3 sein</translation>
    </message>
    <message>
        <source>&quot;apiVersion&quot; is missing</source>
        <translation>„apiVersion“ fehlt</translation>
    </message>
    <message>
        <source>&quot;apiVersion&quot; must be a whole number</source>
        <translation>„apiVersion“ muss eine ganze Zahl sein</translation>
    </message>
    <message>
        <source>it was made for version %1 of the host&apos;s interface, this host has version %2</source>
        <translation>es wurde für Version %1 der Schnittstelle des Hosts gemacht, dieser Host hat Version %2</translation>
    </message>
    <message>
        <source>&quot;settingsSchema&quot; must be a resource path, beginning with &quot;:/&quot;</source>
        <translation>„settingsSchema“ muss ein Ressourcenpfad sein, der mit „:/“ beginnt</translation>
    </message>
    <message>
        <source>it is not a Qt plugin that can be loaded here: %1</source>
        <translation>es ist kein Qt-Plugin, das hier geladen werden kann: %1</translation>
    </message>
</context>
<context>
    <name>Rotate</name>
    <message numerus="yes">
        <source>%n plugin(s) can change the root key, and it takes exactly one</source>
        <translation>
            <numerusform>%n Plugin kann den Wurzelschlüssel wechseln, und es braucht genau eines</numerusform>
            <numerusform>%n Plugins können den Wurzelschlüssel wechseln, und es braucht genau eines</numerusform>
        </translation>
    </message>
    <message>
        <source>an earlier run was interrupted, this one went on from there</source>
        <translation>ein früherer Lauf wurde unterbrochen, dieser hat dort weitergemacht</translation>
    </message>
    <message>
        <source>now: %1</source>
        <translation>jetzt: %1</translation>
    </message>
</context>
<context>
    <name>Secrets</name>
    <message>
        <source>there is no credentials directory</source>
        <translation>es gibt kein Verzeichnis für Zugangsdaten</translation>
    </message>
    <message>
        <source>set secrets.path, or start it by systemd with LoadCredential=</source>
        <translation>secrets.path setzen oder über systemd mit LoadCredential= starten</translation>
    </message>
    <message>
        <source>the credentials directory %1 cannot be opened: %2</source>
        <translation>das Verzeichnis für Zugangsdaten %1 kann nicht geöffnet werden: %2</translation>
    </message>
    <message>
        <source>check secrets.path and the rights of the user it runs as</source>
        <translation>secrets.path und die Rechte des ausführenden Benutzers prüfen</translation>
    </message>
    <message>
        <source>the credentials directory %1 is open to others</source>
        <translation>das Verzeichnis für Zugangsdaten %1 steht anderen offen</translation>
    </message>
    <message>
        <source>make it the user&apos;s own: chmod 700 %1</source>
        <translation>nur dem Benutzer selbst zugänglich machen: chmod 700 %1</translation>
    </message>
    <message>
        <source>the credentials directory %1 holds no %2</source>
        <translation>das Verzeichnis für Zugangsdaten %1 enthält kein %2</translation>
    </message>
    <message>
        <source>write the file %1, readable by its owner only</source>
        <translation>die Datei %1 schreiben, nur für ihren Besitzer lesbar</translation>
    </message>
    <message>
        <source>%1 cannot be opened: %2</source>
        <translation>%1 kann nicht geöffnet werden: %2</translation>
    </message>
    <message>
        <source>check the rights of the user it runs as</source>
        <translation>die Rechte des ausführenden Benutzers prüfen</translation>
    </message>
    <message>
        <source>%1 is not a file of at most %2 bytes</source>
        <translation>%1 ist keine Datei von höchstens %2 Bytes</translation>
    </message>
    <message>
        <source>write the secret alone into it</source>
        <translation>nur das Geheimnis hineinschreiben</translation>
    </message>
    <message>
        <source>%1 is open to others</source>
        <translation>%1 steht anderen offen</translation>
    </message>
    <message>
        <source>make it the user&apos;s own: chmod 600 %1</source>
        <translation>nur dem Benutzer selbst zugänglich machen: chmod 600 %1</translation>
    </message>
    <message>
        <source>%1 cannot be read: %2</source>
        <translation>%1 kann nicht gelesen werden: %2</translation>
    </message>
    <message>
        <source>check the disk and the rights of the user it runs as</source>
        <translation>den Datenträger und die Rechte des ausführenden Benutzers prüfen</translation>
    </message>
    <message>
        <source>the keychain cannot be asked for the secret %1: %2</source>
        <translation>der Schlüsselbund kann nicht nach dem Geheimnis %1 gefragt werden: %2</translation>
    </message>
    <message>
        <source>start it in a desktop session with an unlocked keyring, or on a server set secrets.provider to credentials-directory</source>
        <translation>in einer Desktop-Sitzung mit offenem Schlüsselbund starten oder auf einem Server secrets.provider auf credentials-directory setzen</translation>
    </message>
    <message>
        <source>the keychain holds no secret %1</source>
        <translation>der Schlüsselbund enthält kein Geheimnis %1</translation>
    </message>
    <message>
        <source>store it under the service %1 with the user %2</source>
        <translation>unter dem Dienst %1 mit dem Benutzer %2 ablegen</translation>
    </message>
    <message>
        <source>it does not answer</source>
        <translation>er antwortet nicht</translation>
    </message>
    <message>
        <source>the secret %1 is empty</source>
        <translation>das Geheimnis %1 ist leer</translation>
    </message>
    <message>
        <source>write its value</source>
        <translation>seinen Wert eintragen</translation>
    </message>
    <message>
        <source>the secret %1 is not 32 bytes in base64</source>
        <translation>das Geheimnis %1 ist nicht 32 Bytes in Base64</translation>
    </message>
    <message>
        <source>make one with: head -c 32 /dev/urandom | base64</source>
        <translation>eines erzeugen mit: head -c 32 /dev/urandom | base64</translation>
    </message>
    <message>
        <source>the configuration holds no secret %1</source>
        <translation>die Konfiguration enthält kein Geheimnis %1</translation>
    </message>
    <message>
        <source>write it into the configuration, or choose a secrets provider</source>
        <translation>in die Konfiguration schreiben oder einen Anbieter für Geheimnisse wählen</translation>
    </message>
    <message>
        <source>the secret %1 cannot be written by this program</source>
        <translation>das Geheimnis %1 kann von diesem Programm nicht geschrieben werden</translation>
    </message>
    <message>
        <source>the administrator writes it; make a root_key with: head -c 32 /dev/urandom | base64</source>
        <translation>die Verwaltung schreibt es; einen root_key erzeugen mit: head -c 32 /dev/urandom | base64</translation>
    </message>
    <message>
        <source>the keyring is locked</source>
        <translation>der Schlüsselbund ist gesperrt</translation>
    </message>
    <message>
        <source>it gives another value than was stored</source>
        <translation>er gibt einen anderen Wert zurück, als gespeichert wurde</translation>
    </message>
    <message>
        <source>it was not removed</source>
        <translation>es wurde nicht entfernt</translation>
    </message>
</context>
<context>
    <name>bridgehost::AccountSession</name>
    <message>
        <source>Nobody logged in within the time. Start it again.</source>
        <translation>Niemand hat sich in der Zeit angemeldet. Starten Sie es noch einmal.</translation>
    </message>
    <message>
        <source>Logged in as %1 with the device %2. Start the bridge now.</source>
        <translation>Angemeldet als %1 mit dem Gerät %2. Starten Sie jetzt die Bridge.</translation>
    </message>
    <message>
        <source>cannot listen on 127.0.0.1: %1</source>
        <translation>kann auf 127.0.0.1 nicht lauschen: %1</translation>
    </message>
    <message>
        <source>the login was given up</source>
        <translation>die Anmeldung wurde aufgegeben</translation>
    </message>
    <message numerus="yes">
        <source>Open this address in a browser on this machine, within %n minute(s):</source>
        <translation>
            <numerusform>Öffnen Sie diese Adresse binnen %n Minute in einem Browser auf diesem Rechner:</numerusform>
            <numerusform>Öffnen Sie diese Adresse binnen %n Minuten in einem Browser auf diesem Rechner:</numerusform>
        </translation>
    </message>
    <message>
        <source>the logout was given up</source>
        <translation>die Abmeldung wurde aufgegeben</translation>
    </message>
    <message>
        <source>Logged out; nothing of the session is kept.</source>
        <translation>Abgemeldet; von der Sitzung ist nichts mehr gespeichert.</translation>
    </message>
    <message>
        <source>no configured plugin runs on an account</source>
        <translation>kein eingerichtetes Plugin läuft auf einem Konto</translation>
    </message>
</context>
<context>
    <name>bridgehost::BridgeHost</name>
    <message>
        <source>plugin %1 (%2) is not loaded: the configuration has no section plugins.%1</source>
        <translation>Plugin %1 (%2) wird nicht geladen: die Konfiguration hat keinen Abschnitt plugins.%1</translation>
    </message>
    <message>
        <source>plugin %1 %2 from %3</source>
        <translation>Plugin %1 %2 aus %3</translation>
    </message>
    <message>
        <source>there is no such plugin in %1</source>
        <translation>es gibt kein solches Plugin in %1</translation>
    </message>
    <message>
        <source>no plugin has a section, so there is nothing to run</source>
        <translation>kein Plugin hat einen Abschnitt, es gibt also nichts auszuführen</translation>
    </message>
    <message>
        <source>environment variable %1 matches no key and is left alone</source>
        <translation>Umgebungsvariable %1 passt zu keinem Schlüssel und bleibt unbeachtet</translation>
    </message>
    <message>
        <source>cannot listen on %1 port %2: %3</source>
        <translation>auf %1 Port %2 kann nicht gehört werden: %3</translation>
    </message>
    <message>
        <source>plugin %1 cannot start: %2</source>
        <translation>Plugin %1 kann nicht starten: %2</translation>
    </message>
    <message>
        <source>running</source>
        <translation>läuft</translation>
    </message>
    <message>
        <source>draining</source>
        <translation>wird geleert</translation>
    </message>
    <message>
        <source>starting</source>
        <translation>startet</translation>
    </message>
    <message>
        <source>wait for the plugin to start; its messages are in the log</source>
        <translation>warten, bis das Plugin gestartet ist; seine Meldungen stehen im Protokoll</translation>
    </message>
</context>
<context>
    <name>bridgehost::LoadedPlugin</name>
    <message>
        <source>plugin %1 is %2 and cannot %3 now</source>
        <translation>Plugin %1 ist %2 und kann jetzt nicht %3</translation>
    </message>
    <message>
        <source>%1 cannot be loaded: %2</source>
        <translation>%1 kann nicht geladen werden: %2</translation>
    </message>
    <message>
        <source>%1 states the plugin interface in its metadata but does not have it</source>
        <translation>%1 nennt die Plugin-Schnittstelle in seinen Metadaten, hat sie aber nicht</translation>
    </message>
    <message>
        <source>%1 does not hold its settings schema %2</source>
        <translation>%1 enthält sein Einstellungsschema %2 nicht</translation>
    </message>
    <message>
        <source>the settings schema %2 in %1 is not a JSON schema with &quot;properties&quot;</source>
        <translation>das Einstellungsschema %2 in %1 ist kein JSON-Schema mit „properties“</translation>
    </message>
    <message>
        <source>plugin %1 gave up its start</source>
        <translation>Plugin %1 hat seinen Start aufgegeben</translation>
    </message>
    <message>
        <source>this folder does not exist</source>
        <translation>dieser Ordner existiert nicht</translation>
    </message>
    <message>
        <source>its id &quot;%1&quot; is that of %2 already</source>
        <translation>seine id „%1“ gehört schon %2</translation>
    </message>
</context>
<context>
    <name>voip::BackupSearch</name>
    <message>
        <source>the account has no key backup: switch it on in one of its other clients</source>
        <translation>Das Konto hat keine Schlüsselsicherung: in einem anderen Client des Kontos einschalten</translation>
    </message>
    <message>
        <source>the homeserver did not say which key backup the account has: %1</source>
        <translation>Der Heimserver sagt nicht, welche Schlüsselsicherung das Konto hat: %1</translation>
    </message>
    <message>
        <source>the account&apos;s key backup is of an algorithm that the bridge does not write</source>
        <translation>Die Schlüsselsicherung des Kontos hat ein Verfahren, das die Brücke nicht schreibt</translation>
    </message>
    <message>
        <source>what the homeserver says of the account&apos;s key backup cannot be used</source>
        <translation>Was der Heimserver über die Schlüsselsicherung des Kontos sagt, ist nicht zu gebrauchen</translation>
    </message>
    <message>
        <source>the account&apos;s key backup has another key than the one that the account&apos;s recovery keeps: nothing is put there</source>
        <translation>Die Schlüsselsicherung des Kontos hat einen anderen Schlüssel als den, den die Wiederherstellung des Kontos aufbewahrt: Dorthin kommt nichts</translation>
    </message>
</context>
<context>
    <name>voip::MatrixVoipPlugin</name>
    <message>
        <source>The plugin was initialised before.</source>
        <translation>Das Plugin wurde schon initialisiert.</translation>
    </message>
    <message>
        <source>The plugin cannot be started now.</source>
        <translation>Das Plugin kann jetzt nicht gestartet werden.</translation>
    </message>
    <message>
        <source>The root key is changed between initialise() and stop(), while nothing runs.</source>
        <translation>Der Wurzelschlüssel wird zwischen initialise() und stop() gewechselt, während nichts läuft.</translation>
    </message>
    <message>
        <source>plugins.matrixvoip.mode client keeps its session sealed and needs a root key: give secrets.root_key, or choose a secrets provider.</source>
        <translation>plugins.matrixvoip.mode client bewahrt die Sitzung versiegelt auf und braucht einen Wurzelschlüssel: Geben Sie secrets.root_key an oder wählen Sie einen Anbieter unter secrets.</translation>
    </message>
    <message>
        <source>The plugin runs, or was stopped.</source>
        <translation>Das Plugin läuft oder wurde gestoppt.</translation>
    </message>
    <message>
        <source>plugins.matrixvoip.mode is appservice: there is no account to log in.</source>
        <translation>plugins.matrixvoip.mode ist appservice: Es gibt kein Konto zum Anmelden.</translation>
    </message>
</context>
<context>
    <name>voip::OwnerSignature</name>
    <message>
        <source>the homeserver did not say which devices the account has: %1</source>
        <translation>Der Heimserver sagt nicht, welche Geräte das Konto hat: %1</translation>
    </message>
    <message>
        <source>the account has no cross-signing identity: set up recovery in one of its other clients</source>
        <translation>Das Konto hat keine Quersignatur-Identität: die Wiederherstellung in einem anderen Client des Kontos einrichten</translation>
    </message>
    <message>
        <source>the self-signing key that the account keeps is not the one of its identity</source>
        <translation>Der aufbewahrte Signaturschlüssel ist nicht der der Identität des Kontos</translation>
    </message>
    <message>
        <source>the homeserver did not take the signature</source>
        <translation>Der Heimserver hat die Signatur nicht angenommen</translation>
    </message>
</context>
<context>
    <name>voip::Pipeline</name>
    <message>
        <source>The bridge is starting. Try again later.</source>
        <translation>Die Brücke startet gerade. Bitte später noch einmal versuchen.</translation>
    </message>
    <message>
        <source>Start the database, or correct `database` in the configuration.</source>
        <translation>Die Datenbank starten oder `database` in der Konfiguration berichtigen.</translation>
    </message>
    <message>
        <source>The database was written by a newer version: install that one.</source>
        <translation>Die Datenbank wurde von einer neueren Version geschrieben: diese installieren.</translation>
    </message>
    <message>
        <source>The change could not be stored and is not in force. Try again.</source>
        <translation>Die Änderung konnte nicht gespeichert werden und gilt nicht. Bitte noch einmal versuchen.</translation>
    </message>
    <message>
        <source>percent must be a whole number from 0 to 100.</source>
        <translation>percent muss eine ganze Zahl von 0 bis 100 sein.</translation>
    </message>
    <message>
        <source>The homeserver did not answer in time. Calls inside one network still work.</source>
        <translation>Der Homeserver hat nicht rechtzeitig geantwortet. Anrufe innerhalb eines Netzes funktionieren trotzdem.</translation>
    </message>
    <message>
        <source>The homeserver gave no TURN servers (%1).</source>
        <translation>Der Homeserver hat keine TURN-Server genannt (%1).</translation>
    </message>
    <message>
        <source>No timeline is kept of this call.</source>
        <translation>Von diesem Anruf wird kein Verlauf aufbewahrt.</translation>
    </message>
    <message>
        <source>The bridge&apos;s device of %1 is not signed by its owner: strict clients refuse its calls.</source>
        <translation>Das Gerät der Brücke von %1 ist nicht von seinem Besitzer signiert: strenge Clients lehnen seine Anrufe ab.</translation>
    </message>
    <message>
        <source>Give account.recovery_key, or verify the session in another client of the account.</source>
        <translation>account.recovery_key angeben oder die Sitzung in einem anderen Client des Kontos verifizieren.</translation>
    </message>
    <message>
        <source>Strict clients refuse the calls of a device that its owner has not signed.</source>
        <translation>Strenge Clients lehnen Anrufe eines Geräts ab, das sein Besitzer nicht signiert hat.</translation>
    </message>
    <message>
        <source>There is no such verification.</source>
        <translation>Diese Verifizierung gibt es nicht.</translation>
    </message>
    <message>
        <source>The verification is in the state %1.</source>
        <translation>Die Verifizierung ist im Zustand %1.</translation>
    </message>
    <message>
        <source>SQLite cannot be shared by several workers (plugins.matrixvoip.workers).</source>
        <translation>SQLite kann nicht von mehreren Workern geteilt werden (plugins.matrixvoip.workers).</translation>
    </message>
    <message>
        <source>Use `database: { driver: postgresql }`, or leave `workers` out.</source>
        <translation>`database: { driver: postgresql }` verwenden oder `workers` weglassen.</translation>
    </message>
    <message>
        <source>the account&apos;s key backup takes nothing from the bridge: it is looked at again within the hour</source>
        <translation>Die Schlüsselsicherung des Kontos nimmt von der Brücke nichts an: Innerhalb einer Stunde wird wieder nachgesehen</translation>
    </message>
    <message>
        <source>Calls go on. Keys of encrypted calls are not backed up until then.</source>
        <translation>Anrufe gehen weiter. Schlüssel verschlüsselter Anrufe werden bis dahin nicht gesichert.</translation>
    </message>
</context>
<context>
    <name>voip::RootKey</name>
    <message>
        <source>The keychain has no root_key, but this database was made with one: restore the keychain.</source>
        <translation>Der Schlüsselbund hat keinen root_key, diese Datenbank wurde aber mit einem angelegt: den Schlüsselbund wiederherstellen.</translation>
    </message>
    <message>
        <source>root_key is not the key of this database, and root_key_next cannot be read: %1</source>
        <translation>root_key ist nicht der Schlüssel dieser Datenbank, und root_key_next kann nicht gelesen werden: %1</translation>
    </message>
    <message>
        <source>There is no root_key, but this database was made with one: put that key back.</source>
        <translation>Es gibt keinen root_key, diese Datenbank wurde aber mit einem angelegt: diesen Schlüssel wiederherstellen.</translation>
    </message>
    <message>
        <source>root_key is not the key this database was made with: put that key back, or restore the database that belongs to this one.</source>
        <translation>root_key ist nicht der Schlüssel, mit dem diese Datenbank angelegt wurde: jenen Schlüssel wiederherstellen, oder die Datenbank, die zu diesem gehört.</translation>
    </message>
    <message>
        <source>Rename root_key_next to root_key in the credentials directory, and keep the old key with the backups that were made with it.</source>
        <translation>Im Credentials-Verzeichnis root_key_next in root_key umbenennen, und den alten Schlüssel bei den Sicherungen aufbewahren, die mit ihm gemacht wurden.</translation>
    </message>
    <message>
        <source>There is no root_key, only root_key_next. %1</source>
        <translation>Es gibt keinen root_key, nur root_key_next. %1</translation>
    </message>
    <message>
        <source>root_key is not the key of the database, root_key_next is, and is used.</source>
        <translation>Nicht root_key ist der Schlüssel der Datenbank, sondern root_key_next; dieser wird verwendet.</translation>
    </message>
    <message>
        <source>A change of the root key was interrupted; it is finished now.</source>
        <translation>Ein Wechsel des Wurzelschlüssels war unterbrochen worden; er ist jetzt abgeschlossen.</translation>
    </message>
    <message>
        <source>there is none, only root_key_next</source>
        <translation>es gibt keinen, nur root_key_next</translation>
    </message>
    <message>
        <source>there is none, and the database was never opened with one</source>
        <translation>es gibt keinen, und die Datenbank wurde nie mit einem geöffnet</translation>
    </message>
    <message>
        <source>it is the one of the database</source>
        <translation>er ist der der Datenbank</translation>
    </message>
    <message>
        <source>the database takes it at the first start</source>
        <translation>die Datenbank übernimmt ihn beim ersten Start</translation>
    </message>
    <message>
        <source>the key of the database is root_key_next</source>
        <translation>der Schlüssel der Datenbank ist root_key_next</translation>
    </message>
    <message>
        <source>The next start puts it in its place.</source>
        <translation>Der nächste Start bringt ihn an seinen Platz.</translation>
    </message>
    <message>
        <source>it is made at the first start</source>
        <translation>er wird beim ersten Start erzeugt</translation>
    </message>
    <message>
        <source>Nothing that is sealed in the database can be read with another key.</source>
        <translation>Nichts, was in der Datenbank versiegelt ist, kann mit einem anderen Schlüssel gelesen werden.</translation>
    </message>
</context>
<context>
    <name>voip::Rotation</name>
    <message>
        <source>A root key has the wrong size.</source>
        <translation>Ein Wurzelschlüssel hat die falsche Länge.</translation>
    </message>
    <message>
        <source>Give the command again: it finds out how far it came.</source>
        <translation>Den Befehl noch einmal geben: Er stellt fest, wie weit er gekommen ist.</translation>
    </message>
    <message>
        <source>Nothing was changed.</source>
        <translation>Nichts wurde geändert.</translation>
    </message>
    <message>
        <source>There is no new key: write it into the file root_key_next of the credentials directory (head -c 32 /dev/urandom | base64), and give the command again.</source>
        <translation>Es gibt keinen neuen Schlüssel: ihn in die Datei root_key_next des Credentials-Verzeichnisses schreiben (head -c 32 /dev/urandom | base64) und den Befehl noch einmal geben.</translation>
    </message>
    <message>
        <source>root_key_next is the same key as root_key: write a new one into it.</source>
        <translation>root_key_next ist derselbe Schlüssel wie root_key: einen neuen hineinschreiben.</translation>
    </message>
    <message>
        <source>The root key stands in the configuration, which this program does not write. Move the secrets into the keychain or a credentials directory (secrets.provider), the key as root_key, start once, and give the command again.</source>
        <translation>Der Wurzelschlüssel steht in der Konfiguration, in die dieses Programm nicht schreibt. Die Geheimnisse in den Schlüsselbund oder ein Credentials-Verzeichnis verlegen (secrets.provider), den Schlüssel als root_key, einmal starten und den Befehl noch einmal geben.</translation>
    </message>
    <message>
        <source>The database was never opened with a root key: there is nothing to change.</source>
        <translation>Die Datenbank wurde nie mit einem Wurzelschlüssel geöffnet: Es gibt nichts zu wechseln.</translation>
    </message>
    <message>
        <source>The database has the new root key since an earlier run.</source>
        <translation>Die Datenbank hat den neuen Wurzelschlüssel seit einem früheren Lauf.</translation>
    </message>
    <message numerus="yes">
        <source>%n sealed value(s) and the database have the new root key.</source>
        <translation>
            <numerusform>%n versiegelter Wert und die Datenbank haben den neuen Wurzelschlüssel.</numerusform>
            <numerusform>%n versiegelte Werte und die Datenbank haben den neuen Wurzelschlüssel.</numerusform>
        </translation>
    </message>
    <message>
        <source>Neither root_key nor root_key_next is the key of this database: put it back first.</source>
        <translation>Weder root_key noch root_key_next ist der Schlüssel dieser Datenbank: erst jenen wiederherstellen.</translation>
    </message>
    <message>
        <source>The keychain still calls it root_key_next (%1): give the command again, or start; both put it right.</source>
        <translation>Im Schlüsselbund heißt er noch root_key_next (%1): den Befehl noch einmal geben, oder starten; beides bringt es in Ordnung.</translation>
    </message>
</context>
<context>
    <name>voip::SealedSession</name>
    <message>
        <source>The session that was kept cannot be opened: it was damaged, or sealed with another root key. Log in again with bridge-host --login.</source>
        <translation>Die gespeicherte Sitzung lässt sich nicht öffnen: Sie ist beschädigt oder mit einem anderen Wurzelschlüssel versiegelt. Melden Sie sich mit bridge-host --login neu an.</translation>
    </message>
</context>
<context>
    <name>voip::Settings</name>
    <message>
        <source>must be a whole number from %1 to %2</source>
        <translation>muss eine ganze Zahl von %1 bis %2 sein</translation>
    </message>
    <message>
        <source>must be a list of user ids</source>
        <translation>muss eine Liste von Benutzerkennungen sein</translation>
    </message>
    <message>
        <source>must be true or false</source>
        <translation>muss true oder false sein</translation>
    </message>
    <message>
        <source>is not a setting of this plugin</source>
        <translation>ist keine Einstellung dieses Plugins</translation>
    </message>
    <message>
        <source>must be &quot;send&quot;, &quot;hide_unencrypted&quot; or &quot;hide&quot;</source>
        <translation>muss „send“, „hide_unencrypted“ oder „hide“ sein</translation>
    </message>
    <message>
        <source>must be a Matrix id such as @alice:example.org</source>
        <translation>muss eine Matrix-ID wie @alice:example.org sein</translation>
    </message>
    <message>
        <source>must be &quot;token&quot;, &quot;password&quot; or &quot;sso&quot;</source>
        <translation>muss &quot;token&quot;, &quot;password&quot; oder &quot;sso&quot; sein</translation>
    </message>
    <message>
        <source>must be 1 to %1 characters</source>
        <translation>muss 1 bis %1 Zeichen haben</translation>
    </message>
    <message>
        <source>must be &quot;direct&quot;, &quot;all&quot; or &quot;none&quot;</source>
        <translation>muss &quot;direct&quot;, &quot;all&quot; oder &quot;none&quot; sein</translation>
    </message>
    <message>
        <source>must be an access token: printable, without spaces</source>
        <translation>muss ein Zugangstoken sein: druckbar, ohne Leerzeichen</translation>
    </message>
    <message>
        <source>must be a map of keys and values</source>
        <translation>muss aus Schlüsseln und Werten bestehen</translation>
    </message>
    <message>
        <source>is missing</source>
        <translation>fehlt</translation>
    </message>
    <message>
        <source>client serves exactly one user, but `users` lists %1</source>
        <translation>client bedient genau einen Benutzer, aber `users` nennt %1</translation>
    </message>
    <message>
        <source>is not of homeserver.server_name, which is %1</source>
        <translation>gehört nicht zu homeserver.server_name, das ist %1</translation>
    </message>
    <message>
        <source>must be &quot;appservice&quot; or &quot;client&quot;</source>
        <translation>muss &quot;appservice&quot; oder &quot;client&quot; sein</translation>
    </message>
    <message>
        <source>is missing: mode client needs it</source>
        <translation>fehlt: mode client braucht es</translation>
    </message>
    <message>
        <source>belongs to mode client only</source>
        <translation>gehört nur zu mode client</translation>
    </message>
    <message>
        <source>must be the recovery key of the account, as its client showed it</source>
        <translation>muss der Wiederherstellungsschlüssel des Kontos sein, wie ihn der Client gezeigt hat</translation>
    </message>
    <message>
        <source>must be &quot;all&quot;, &quot;cross-signed&quot; or &quot;verified&quot;</source>
        <translation>muss &quot;all&quot;, &quot;cross-signed&quot; oder &quot;verified&quot; sein</translation>
    </message>
    <message>
        <source>must be an object: Matrix user id -&gt; public master key (unpadded base64)</source>
        <translation>muss eine Zuordnung sein: Matrix-Kennung -&gt; öffentlicher Hauptschlüssel (Base64 ohne Füllzeichen)</translation>
    </message>
    <message>
        <source>is not for mode client: one account is one session</source>
        <translation>gibt es nicht in mode client: ein Konto ist eine Sitzung</translation>
    </message>
    <message>
        <source>needs the account&apos;s recovery key: give account.recovery_key or the secret account_recovery_key, or set it to false</source>
        <translation>braucht den Wiederherstellungsschlüssel des Kontos: account.recovery_key oder das Geheimnis account_recovery_key angeben, oder auf false setzen</translation>
    </message>
</context>
<context>
    <name>voip::StoredSecret</name>
    <message>
        <source>account.recovery_key is not a recovery key: copy it again</source>
        <translation>account.recovery_key ist kein Wiederherstellungsschlüssel: bitte neu kopieren</translation>
    </message>
    <message>
        <source>the account keeps no %1 (%2): set up recovery in one of its other clients</source>
        <translation>Das Konto bewahrt kein %1 auf (%2): die Wiederherstellung in einem anderen Client des Kontos einrichten</translation>
    </message>
    <message>
        <source>account.recovery_key is not the one of this account&apos;s recovery</source>
        <translation>account.recovery_key gehört nicht zur Wiederherstellung dieses Kontos</translation>
    </message>
    <message>
        <source>the account&apos;s %1 cannot be opened with account.recovery_key</source>
        <translation>%1 des Kontos lässt sich mit account.recovery_key nicht öffnen</translation>
    </message>
</context>
<context>
    <name>voip::effects::Conversations</name>
    <message>
        <source>room_id is not a Matrix room id.</source>
        <translation>room_id ist keine Matrix-Raumkennung.</translation>
    </message>
    <message>
        <source>matrix_user is not the Matrix id of somebody else.</source>
        <translation>matrix_user ist nicht die Matrix-Kennung einer anderen Person.</translation>
    </message>
    <message>
        <source>Calls are placed only in rooms with exactly one other member.</source>
        <translation>Anrufe gibt es nur in Räumen mit genau einem weiteren Mitglied.</translation>
    </message>
    <message>
        <source>The homeserver does not answer. Try again later.</source>
        <translation>Der Homeserver antwortet nicht. Bitte später noch einmal versuchen.</translation>
    </message>
    <message>
        <source>The homeserver refused to invite this user (%1).</source>
        <translation>Der Homeserver hat es abgelehnt, diese Person einzuladen (%1).</translation>
    </message>
    <message>
        <source>The room could not be entered in time. Try again later.</source>
        <translation>Der Raum konnte nicht rechtzeitig betreten werden. Bitte später noch einmal versuchen.</translation>
    </message>
    <message>
        <source>The homeserver did not let the user into this room (%1).</source>
        <translation>Der Homeserver hat den Benutzer nicht in diesen Raum gelassen (%1).</translation>
    </message>
</context>
<context>
    <name>voip::effects::Desk</name>
    <message>
        <source>The SDP must start with v=0 and have at most %1 characters.</source>
        <translation>Das SDP muss mit v=0 beginnen und darf höchstens %1 Zeichen haben.</translation>
    </message>
    <message>
        <source>There is no such user.</source>
        <translation>Diesen Benutzer gibt es nicht.</translation>
    </message>
    <message>
        <source>idempotency_key must have at most %1 characters, and only ones that can be printed.</source>
        <translation>idempotency_key darf höchstens %1 Zeichen haben, und nur druckbare.</translation>
    </message>
    <message>
        <source>streams must hold at most %1 streams.</source>
        <translation>streams darf höchstens %1 Ströme enthalten.</translation>
    </message>
    <message>
        <source>Exactly one of target_user and target_call is needed.</source>
        <translation>Genau eines von target_user und target_call ist nötig.</translation>
    </message>
    <message>
        <source>target_user is not a Matrix id.</source>
        <translation>target_user ist keine Matrix-ID.</translation>
    </message>
    <message>
        <source>At least one of audio_muted and video_muted is needed.</source>
        <translation>Mindestens eines von audio_muted und video_muted ist nötig.</translation>
    </message>
    <message>
        <source>Each text of identity must have at most %1 characters.</source>
        <translation>Jeder Text von identity darf höchstens %1 Zeichen haben.</translation>
    </message>
</context>
<context>
    <name>voip::effects::Lane</name>
    <message>
        <source>This idempotency_key was used for another request.</source>
        <translation>Dieser idempotency_key wurde für eine andere Anfrage benutzt.</translation>
    </message>
    <message>
        <source>Matrix calls are switched off for this user.</source>
        <translation>Matrix-Anrufe sind für diesen Benutzer ausgeschaltet.</translation>
    </message>
    <message>
        <source>The bridge could not store this.</source>
        <translation>Die Brücke konnte dies nicht speichern.</translation>
    </message>
    <message>
        <source>This room is encrypted, and the bridge has no root key to keep keys with.</source>
        <translation>Dieser Raum ist verschlüsselt, und die Brücke hat keinen Wurzelschlüssel, um Schlüssel aufzubewahren.</translation>
    </message>
    <message>
        <source>Too many requests of this user are waiting. Try again later.</source>
        <translation>Es warten zu viele Anfragen dieses Benutzers. Später noch einmal versuchen.</translation>
    </message>
    <message>
        <source>Too much of this user waits for the homeserver. Try again later.</source>
        <translation>Es wartet zu viel dieses Benutzers auf den Homeserver. Später noch einmal versuchen.</translation>
    </message>
</context>
<context>
    <name>voip::effects::Present</name>
    <message>
        <source>The bridge is stopping.</source>
        <translation>Die Brücke hält gerade an.</translation>
    </message>
    <message>
        <source>There is no such call.</source>
        <translation>Diesen Anruf gibt es nicht.</translation>
    </message>
    <message>
        <source>The call is %1; that is not possible now.</source>
        <translation>Der Anruf ist im Zustand %1; das geht jetzt nicht.</translation>
    </message>
    <message>
        <source>A call of the other side is ringing already: answer that one.</source>
        <translation>Ein Anruf der anderen Seite klingelt schon: diesen annehmen.</translation>
    </message>
    <message>
        <source>There is a call in this conversation already; it is %1.</source>
        <translation>In dieser Unterhaltung gibt es schon einen Anruf; er ist im Zustand %1.</translation>
    </message>
    <message>
        <source>There is no such conversation.</source>
        <translation>Diese Unterhaltung gibt es nicht.</translation>
    </message>
    <message>
        <source>Calls are placed only in rooms with exactly one other member.</source>
        <translation>Anrufe gibt es nur in Räumen mit genau einem weiteren Mitglied.</translation>
    </message>
    <message>
        <source>The user is not in this room (yet).</source>
        <translation>Der Benutzer ist (noch) nicht in diesem Raum.</translation>
    </message>
    <message>
        <source>The bridge cannot reach its database. Try again later.</source>
        <translation>Die Brücke erreicht ihre Datenbank nicht. Bitte später noch einmal versuchen.</translation>
    </message>
    <message>
        <source>An offer of the other side waits: roll back your own, answer theirs, then offer again.</source>
        <translation>Ein Angebot der Gegenseite wartet: das eigene zurücknehmen, ihres beantworten, dann neu anbieten.</translation>
    </message>
    <message>
        <source>No offer of the other side waits for an answer, or its time is up: send an offer.</source>
        <translation>Kein Angebot der Gegenseite wartet auf eine Antwort, oder seine Zeit ist um: ein eigenes Angebot senden.</translation>
    </message>
    <message>
        <source>The other side&apos;s client cannot do that. The call goes on as it is.</source>
        <translation>Das Programm der Gegenseite kann das nicht. Der Anruf geht unverändert weiter.</translation>
    </message>
    <message>
        <source>The other side asks for no transfer of this call, or its time is up: there is nothing to accept or reject.</source>
        <translation>Die Gegenseite bittet nicht um eine Weitergabe dieses Anrufs, oder die Zeit dafür ist um: Es gibt nichts anzunehmen oder abzulehnen.</translation>
    </message>
    <message>
        <source>A transfer of this call is under way: wait until it has succeeded or failed.</source>
        <translation>Eine Weitergabe dieses Anrufs läuft schon: abwarten, bis sie gelungen oder gescheitert ist.</translation>
    </message>
    <message>
        <source>There are too many calls within a minute. Try again later.</source>
        <translation>Das sind zu viele Anrufe in einer Minute. Später noch einmal versuchen.</translation>
    </message>
    <message>
        <source>This user&apos;s calls are being handed to another worker. Try again.</source>
        <translation>Die Anrufe dieses Benutzers werden gerade an einen anderen Worker übergeben. Bitte noch einmal versuchen.</translation>
    </message>
</context>
<context>
    <name>voip::effects::Watch</name>
    <message>
        <source>The database answers.</source>
        <translation>Die Datenbank antwortet.</translation>
    </message>
    <message>
        <source>The database does not answer.</source>
        <translation>Die Datenbank antwortet nicht.</translation>
    </message>
    <message>
        <source>Start it, or correct `database` in the configuration.</source>
        <translation>Sie starten oder `database` in der Konfiguration berichtigen.</translation>
    </message>
    <message>
        <source>The homeserver answers, and reaches us in %1 ms.</source>
        <translation>Der Homeserver antwortet und erreicht uns in %1 ms.</translation>
    </message>
    <message>
        <source>The homeserver does not answer as it should: %1 %2</source>
        <translation>Der Homeserver antwortet nicht, wie er sollte: %1 %2</translation>
    </message>
    <message>
        <source>Look whether it runs, whether `homeserver.url` is right, and whether the registration file it has read is the one that bridge-host made.</source>
        <translation>Nachsehen, ob er läuft, ob `homeserver.url` stimmt und ob er die Registrierungsdatei gelesen hat, die bridge-host geschrieben hat.</translation>
    </message>
    <message>
        <source>The homeserver offers no TURN server.</source>
        <translation>Der Homeserver bietet keinen TURN-Server an.</translation>
    </message>
    <message>
        <source>Calls between different networks may fail: set turn_uris at the homeserver.</source>
        <translation>Anrufe zwischen verschiedenen Netzen können scheitern: am Homeserver turn_uris setzen.</translation>
    </message>
    <message>
        <source>Nothing is known against the TURN server.</source>
        <translation>Gegen den TURN-Server spricht nichts.</translation>
    </message>
    <message>
        <source>The homeserver answers.</source>
        <translation>Der Homeserver antwortet.</translation>
    </message>
    <message>
        <source>Rows of the database cannot be read and are left out (%1 times).</source>
        <translation>Zeilen der Datenbank sind nicht lesbar und werden ausgelassen (%1-mal).</translation>
    </message>
    <message>
        <source>The log names them. Look after the disk, and restore the database if they are missed.</source>
        <translation>Das Protokoll nennt sie. Sehen Sie nach der Festplatte, und stellen Sie die Datenbank wieder her, wenn sie fehlen.</translation>
    </message>
</context>
<context>
    <name>voip::homeserver::Session</name>
    <message>
        <source>The session of %1 is over: the homeserver does not accept its token any more. Log in again with bridge-host --login.</source>
        <translation>Die Sitzung von %1 ist vorbei: Der Homeserver nimmt ihr Token nicht mehr an. Melden Sie sich mit bridge-host --login neu an.</translation>
    </message>
    <message>
        <source>loginToken is no token.</source>
        <translation>loginToken ist kein Token.</translation>
    </message>
    <message>
        <source>There is no access token for %1: give account.token, or the secret account_token.</source>
        <translation>Für %1 gibt es kein Zugangstoken: Geben Sie account.token an oder das Geheimnis account_token.</translation>
    </message>
    <message>
        <source>There is no password for %1: give account.password, or the secret account_password.</source>
        <translation>Für %1 gibt es kein Passwort: Geben Sie account.password an oder das Geheimnis account_password.</translation>
    </message>
    <message>
        <source>%1 is not logged in: do so with bridge-host --login.</source>
        <translation>%1 ist nicht angemeldet: Tun Sie das mit bridge-host --login.</translation>
    </message>
    <message>
        <source>account.token is not a token: it must be printable and without spaces.</source>
        <translation>account.token ist kein Token: Es muss druckbar und ohne Leerzeichen sein.</translation>
    </message>
    <message>
        <source>The homeserver does not offer this way to log in. It offers: %1.</source>
        <translation>Der Homeserver bietet diese Art der Anmeldung nicht an. Er bietet an: %1.</translation>
    </message>
    <message>
        <source>This login is that of %1, but account.user is %2.</source>
        <translation>Diese Anmeldung ist die von %1, aber account.user ist %2.</translation>
    </message>
    <message>
        <source>The session could not be stored.</source>
        <translation>Die Sitzung konnte nicht gespeichert werden.</translation>
    </message>
    <message>
        <source>Logged in as %1 with the device %2.</source>
        <translation>Angemeldet als %1 mit dem Gerät %2.</translation>
    </message>
    <message>
        <source>%1 is not logged in here.</source>
        <translation>%1 ist hier nicht angemeldet.</translation>
    </message>
    <message>
        <source>The session was ended, but could not be removed from the database.</source>
        <translation>Die Sitzung wurde beendet, konnte aber nicht aus der Datenbank entfernt werden.</translation>
    </message>
    <message>
        <source>The homeserver does not answer: %1</source>
        <translation>Der Homeserver antwortet nicht: %1</translation>
    </message>
    <message>
        <source>The homeserver refused the login of %1: %2 %3</source>
        <translation>Der Homeserver hat die Anmeldung von %1 abgelehnt: %2 %3</translation>
    </message>
    <message>
        <source>The homeserver wants the session of %1 to be renewed.</source>
        <translation>Der Homeserver verlangt, dass die Sitzung von %1 erneuert wird.</translation>
    </message>
    <message>
        <source>Nothing, as long as the homeserver answers.</source>
        <translation>Nichts, solange der Homeserver antwortet.</translation>
    </message>
    <message>
        <source>The homeserver has ended the session of %1: it was logged out somewhere else.</source>
        <translation>Der Homeserver hat die Sitzung von %1 beendet: Sie wurde anderswo abgemeldet.</translation>
    </message>
    <message>
        <source>The session of %1 is over and cannot be renewed.</source>
        <translation>Die Sitzung von %1 ist vorbei und lässt sich nicht erneuern.</translation>
    </message>
    <message>
        <source>Stop the bridge, log in again with bridge-host --login, and start it.</source>
        <translation>Stoppen Sie die Bridge, melden Sie sich mit bridge-host --login neu an und starten Sie sie.</translation>
    </message>
</context>
<context>
    <name>voip::homeserver::SyncLoop</name>
    <message>
        <source>The homeserver tells what happens.</source>
        <translation>Der Homeserver sagt, was geschieht.</translation>
    </message>
    <message>
        <source>/sync fails: %1</source>
        <translation>/sync schlägt fehl: %1</translation>
    </message>
    <message>
        <source>Look whether the homeserver runs, and whether `homeserver.url` is right.</source>
        <translation>Sehen Sie nach, ob der Homeserver läuft und ob `homeserver.url` stimmt.</translation>
    </message>
</context>
</TS>
