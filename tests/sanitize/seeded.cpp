// SPDX-License-Identifier: Apache-2.0
// Mistakes on purpose: `seeded leak|use_after_free|overflow|shift` does one, `seeded nothing` none. Whoever relies on
// the sanitizers to find them is tried with this.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

int main(int argc, char **argv)
{
    const std::string what(argc > 1 ? argv[argc - 1] : "");
    if (what == "leak") {
        auto *volatile kept = new char[1000];
        kept = nullptr;
        std::printf("%p\n", static_cast<void *>(kept)); // on the stack, where it stood
    } else if (what == "use_after_free") {
        auto *volatile bytes = new char[10];
        delete[] bytes;
        std::printf("%d\n", bytes[argc]);
    } else if (what == "overflow") {
        volatile int large = 2147483647;
        std::printf("%d\n", large + argc);
    } else if (what == "shift") {
        volatile int far = 30 + argc;
        std::printf("%d\n", 1 << (far + 10));
    } else if (what != "nothing") {
        return 2;
    }
    return 0;
}
