// SPDX-License-Identifier: Apache-2.0
#include "cli/passphrase.h"

#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/memory.h"

enum { PASSPHRASE_MAX = 1024 };

// Reads one line; false if it is empty or too long.
static bool read_line(int terminal, char *line, size_t capacity) {
    size_t size = 0;
    char c = 0;
    while (read(terminal, &c, 1) == 1 && c != '\n' && c != '\r') {
        if (size + 1 >= capacity) return false;
        line[size++] = c;
    }
    line[size] = '\0';
    return size > 0;
}

int passphrase_ask(const char *prompt, char **ret_passphrase, struct error *error) {
    int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (terminal < 0) {
        error_set(error, ERROR_USAGE,
                  "the journal needs a passphrase, and there is no terminal to ask for it");
        error_hint(error, "use --journal-key-file FILE");
        return -ERROR_USAGE;
    }
    struct termios shown;
    bool quiet = tcgetattr(terminal, &shown) == 0;
    if (quiet) {
        struct termios hidden = shown;
        hidden.c_lflag &= ~(tcflag_t)ECHO;
        quiet = tcsetattr(terminal, TCSAFLUSH, &hidden) == 0;
    }
    char line[PASSPHRASE_MAX];
    bool good = write(terminal, prompt, strlen(prompt)) > 0 && read_line(terminal, line, sizeof line);
    if (quiet) (void)tcsetattr(terminal, TCSAFLUSH, &shown);
    (void)!write(terminal, "\n", 1);
    close(terminal);
    if (good) *ret_passphrase = memory_strdup(line);
    memory_wipe(line, sizeof line);
    return good ? 0 : error_set(error, ERROR_USAGE, "the passphrase is empty or too long");
}

int passphrase_ask_twice(const char *prompt, const char *again, char **ret_passphrase, struct error *error) {
    char *first = NULL;
    char *second = NULL;
    int result = passphrase_ask(prompt, &first, error);
    if (result == 0) result = passphrase_ask(again, &second, error);
    if (result == 0 && strcmp(first, second) != 0) {
        error_set(error, ERROR_USAGE, "the two passphrases are not the same: nothing was begun");
        error_hint(error, "start again and type the same one twice");
        result = -ERROR_USAGE;
    }
    if (result == 0) *ret_passphrase = memory_take(first);
    memory_free_secret(first);
    memory_free_secret(second);
    return result;
}
