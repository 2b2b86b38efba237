// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "crash.h"
#include "stage_p.h"

enum { START_SECONDS = 60, ANSWER_SECONDS = 60, FILE_MOST = 64 * 1024 * 1024 };

static const char state_folder[] = ".local";

// ---- the sandboxes

// What belongs to one of two.
struct files {
    const char *ports;
    const char *errors;
};

static const struct files first_files = {"sandbox.env", "sandbox.err"};
static const struct files other_files = {"other.env", "other.err"};

_Noreturn static void become_sandbox(const struct stage *stage, const char *const *given,
                                     const struct files *files) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const char *arguments[32] = {stage->tools->sandbox, "--ports-file", files->ports};
    size_t count = 3;
    for (size_t i = 0; given[i] != NULL && count < 31; i++) arguments[count++] = given[i];
    char *place = memory_printf("TMPDIR=%s", stage->folder);
    const char *const environment[] = {"LC_ALL=C.UTF-8", place, NULL};
    if (freopen("/dev/null", "r", stdin) == NULL || freopen("/dev/null", "w", stdout) == NULL ||
        freopen(files->errors, "w", stderr) == NULL) {
        _exit(127);
    }
    execve(arguments[0], stage_arguments(arguments), stage_arguments(environment));
    _exit(127);
}

static bool begins(const char *text, const char *with) {
    return strncmp(text, with, strlen(with)) == 0;
}

// Of two sandboxes each tells its own part: the first one the source, the other one the target.
static bool is_wanted(const struct stage *stage, const struct stage_sandbox *sandbox, const char *name) {
    bool target = begins(name, "TARGET_");
    if (strstr(name, "_SERVER_GRPC_ADDRESS") != NULL) return false;
    return sandbox == &stage->other ? target : !target || stage->other.process == 0;
}

// The servers of The Things Stack are spoken to without TLS, whose handshakes cost more than all the rest of a case; V2's
// are not. SANDBOX_TTS_IDENTITY_SERVER_PLAIN is its address for the source, the target or both.
static void take_plain(struct stage *stage, const struct stage_sandbox *sandbox, const char *name,
                       const char *value) {
    static const char before[] = "SANDBOX_";
    static const char after[] = "_PLAIN";
    size_t size = strlen(name);
    if (!begins(name, "SANDBOX_TTS_") || size < sizeof after ||
        strcmp(name + size - strlen(after), after) != 0)
        return;
    char *server MEMORY_AUTO = memory_strndup(name + strlen(before), size - strlen(before) - strlen(after));
    if (sandbox == &stage->sandbox) buffer_printf(&stage->variables, "%s_GRPC_ADDRESS=%s\n", server, value);
    if (sandbox == &stage->other || stage->other.process == 0)
        buffer_printf(&stage->variables, "TARGET_%s_GRPC_ADDRESS=%s\n", server, value);
}

// The line `export NAME='value'` becomes a variable.
static void take_variable(struct stage *stage, struct stage_sandbox *sandbox, const char *line, size_t size) {
    static const char export[] = "export ";
    const char *equals = memchr(line, '=', size);
    if (size < sizeof export || memcmp(line, export, sizeof export - 1) != 0 || equals == NULL) return;
    const char *begin = line + sizeof export - 1;
    char *name MEMORY_AUTO = memory_strndup(begin, (size_t)(equals - begin));
    char *value MEMORY_AUTO = memory_strndup(equals + 2, (size_t)(line + size - 1 - (equals + 2)));
    if (is_wanted(stage, sandbox, name)) buffer_printf(&stage->variables, "%s=%s\n", name, value);
    take_plain(stage, sandbox, name, value);
    if (strcmp(name, "SANDBOX_HTTP") != 0) return;
    const char *port = strrchr(value, ':');
    free(sandbox->http);
    sandbox->http = memory_strdup(port != NULL ? port + 1 : "");
}

static int take_variables(struct stage *stage, struct stage_sandbox *sandbox, const struct files *files,
                          struct error *error) {
    char *text MEMORY_AUTO = NULL;
    size_t size = 0;
    int result = file_read_all(files->ports, FILE_MOST, &text, &size, error);
    if (result != 0) return result;
    for (const char *line = text; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        take_variable(stage, sandbox, line, length);
        line += length + (line[length] == '\n');
    }
    if (sandbox->http == NULL) return error_set(error, ERROR_SYSTEM, "the sandbox does not tell its port");
    return 0;
}

static int start_sandbox(const struct stage *stage, struct stage_sandbox *sandbox,
                         const char *const *arguments, const struct files *files, struct error *error) {
    fflush(stdout);
    sandbox->process = fork();
    if (sandbox->process < 0) {
        sandbox->process = 0;
        return error_set(error, ERROR_SYSTEM, "fork: %s", strerror(errno));
    }
    if (sandbox->process == 0) become_sandbox(stage, arguments, files);
    return 0;
}

static int await_sandbox(struct stage *stage, struct stage_sandbox *sandbox, const struct files *files,
                         struct error *error) {
    for (int waited = 0; waited < START_SECONDS * 200; waited++) {
        struct stat status;
        if (stat(files->ports, &status) == 0 && status.st_size > 0)
            return take_variables(stage, sandbox, files, error);
        if (stage_ended(sandbox->process, NULL)) {
            sandbox->process = 0;
            break;
        }
        usleep(5000);
    }
    return error_set(error, ERROR_SYSTEM, "the sandbox did not start");
}

static int start_sandboxes(struct stage *stage, const struct crash_pair *pair, struct error *error) {
    int result = start_sandbox(stage, &stage->sandbox, pair->sandbox, &first_files, error);
    if (result == 0 && pair->other != NULL)
        result = start_sandbox(stage, &stage->other, pair->other, &other_files, error);
    if (result == 0) result = await_sandbox(stage, &stage->sandbox, &first_files, error);
    if (result == 0 && pair->other != NULL) result = await_sandbox(stage, &stage->other, &other_files, error);
    return result;
}

int stage_begin(struct stage *stage, const struct crash_tools *tools, const struct crash_pair *pair,
                struct error *error) {
    *stage = (struct stage){.tools = tools};
    buffer_init(&stage->variables, BUFFER_UNLIMITED);
    stage->folder = memory_printf("%s/case-XXXXXX", tools->folder);
    if (mkdtemp(stage->folder) == NULL || chdir(stage->folder) != 0) {
        int code = errno;
        free(memory_take(stage->folder));
        return error_set(error, ERROR_SYSTEM, "cannot make a temporary folder: %s", strerror(code));
    }
    return start_sandboxes(stage, pair, error);
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place) {
    (void)status;
    (void)kind;
    (void)place;
    (void)remove(path);
    return 0;
}

void stage_remove(const char *path) {
    (void)nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void stop_sandbox(struct stage_sandbox *sandbox) {
    if (sandbox->process > 0) {
        kill(sandbox->process, SIGKILL);
        while (!stage_ended(sandbox->process, NULL)) usleep(1000);
    }
    free(sandbox->http);
}

void stage_end(struct stage *stage) {
    stop_sandbox(&stage->sandbox);
    stop_sandbox(&stage->other);
    if (stage->folder != NULL && !stage->tools->keep) {
        (void)!chdir("/");
        stage_remove(stage->folder);
    }
    buffer_release(&stage->variables);
    free(stage->folder);
}

// ---- the world

static int connect_to(const char *port) {
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
        .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
    };
    const struct timeval patience = {.tv_sec = ANSWER_SECONDS};
    int peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (peer >= 0) (void)setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (peer >= 0 && connect(peer, (struct sockaddr *)&address, sizeof address) != 0) {
        close(peer);
        peer = -1;
    }
    return peer;
}

static int ask_world(const struct stage_sandbox *sandbox, json_t **ret_world, struct error *error) {
    // With HTTP/1.0 the answer is as long as it comes.
    static const char request[] = "GET /state HTTP/1.0\r\n\r\n";
    BUFFER_AUTO answer;
    buffer_init(&answer, FILE_MOST);
    int peer = connect_to(sandbox->http);
    bool asked =
        peer >= 0 && send(peer, request, sizeof request - 1, MSG_NOSIGNAL) == (ssize_t)sizeof request - 1;
    char block[16384];
    ssize_t got = asked ? recv(peer, block, sizeof block, 0) : -1;
    for (; got > 0; got = recv(peer, block, sizeof block, 0)) buffer_add(&answer, block, (size_t)got);
    if (peer >= 0) close(peer);
    const char *body = strstr(buffer_string(&answer), "\r\n\r\n");
    *ret_world = got < 0 || body == NULL ? NULL : json_loads(body, 0, NULL);
    return *ret_world != NULL ? 0 : error_set(error, ERROR_SYSTEM, "the sandbox does not tell its state");
}

int stage_world(const struct stage *stage, json_t **ret_world, struct error *error) {
    int result = ask_world(&stage->sandbox, ret_world, error);
    if (result != 0 || stage->other.process == 0) return result;
    json_t *other = NULL;
    result = ask_world(&stage->other, &other, error);
    if (result == 0) json_object_set(*ret_world, CRASH_OTHER, json_object_get(other, "tts_devices"));
    json_decref(other);
    return result;
}

// ---- what a command leaves

bool stage_told(const char *const *texts) {
    char *text MEMORY_AUTO = NULL;
    size_t size = 0;
    if (file_read_all("err", FILE_MOST, &text, &size, NULL) != 0) return false;
    for (size_t i = 0; texts[i] != NULL; i++) {
        if (strstr(text, texts[i]) != NULL) return true;
    }
    return false;
}

char *stage_complaint(void) {
    static const char digits[] = "0123456789abcdefABCDEF";
    enum { SHOWN = 1500, KEY_DIGITS = 32 };
    char *text MEMORY_AUTO = NULL;
    size_t size = 0;
    if (file_read_all("err", FILE_MOST, &text, &size, NULL) != 0) return memory_strdup("");
    for (char *at = text; *at != '\0';) {
        size_t run = strspn(at, digits);
        if (run >= KEY_DIGITS) memset(at, '*', run);
        at += run > 0 ? run : 1;
    }
    return memory_strdup(size > SHOWN ? text + size - SHOWN : text);
}

bool stage_has_journal(void) {
    glob_t found = {0};
    bool has = glob(".local/state/ttn-lw-migrate/*.journal", 0, NULL, &found) == 0;
    globfree(&found);
    return has;
}

void stage_forget(void) {
    stage_remove(state_folder);
    (void)unlink(crash_output);
}
