// SPDX-License-Identifier: Apache-2.0
#include "formatter/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "formatter/engine_p.h"

// The first byte that the other process writes: how it ended.
enum ending { ENDING_REPLY = 'r', ENDING_MEMORY = 'm', ENDING_SIZE = 's', ENDING_BROKEN = 'b' };

// A process that does not even use its processor time is given up after this.
enum { WAIT_MAX_MS = 30000 };

// Set in front of each block, so that its size is known when it is given back.
union block {
    size_t size;
    max_align_t align;
};

struct engine_run {
    const struct engine_limits *limits;
    int out;       // where the reply goes
    size_t used;   // bytes of the present heap
    bool refused;  // memory was refused
};

// ---- inside

static bool write_out(int out, const void *data, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t written = write(out, (const uint8_t *)data + done, size - done);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        done += (size_t)written;
    }
    return true;
}

static void leave(const struct engine_run *run, enum ending ending) __attribute__((noreturn));

static void leave(const struct engine_run *run, enum ending ending) {
    const char byte = (char)ending;
    (void)write_out(run->out, &byte, 1);
    _exit(0);
}

static void *heap_alloc(void *context, duk_size_t size) {
    struct engine_run *run = context;
    if (size == 0) return NULL;
    if (size > run->limits->memory - run->used) {
        run->refused = true;
        return NULL;
    }
    union block *block = malloc(sizeof *block + size);
    if (block == NULL) {
        run->refused = true;
        return NULL;
    }
    block->size = size;
    run->used += size;
    return block + 1;
}

static void heap_free(void *context, void *data) {
    struct engine_run *run = context;
    if (data == NULL) return;
    union block *block = (union block *)data - 1;
    run->used -= block->size;
    free(block);
}

static void *heap_realloc(void *context, void *data, duk_size_t size) {
    if (data == NULL) return heap_alloc(context, size);
    if (size == 0) {
        heap_free(context, data);
        return NULL;
    }
    struct engine_run *run = context;
    union block *block = (union block *)data - 1;
    if (size > block->size && size - block->size > run->limits->memory - run->used) {
        run->refused = true;
        return NULL;
    }
    size_t before = block->size;
    union block *moved = realloc(block, sizeof *moved + size);
    if (moved == NULL) {
        run->refused = true;
        return NULL;
    }
    moved->size = size;
    run->used = run->used - before + size;
    return moved + 1;
}

static void heap_fatal(void *context, const char *message) {
    const struct engine_run *run = context;
    (void)message;
    leave(run, run->refused ? ENDING_MEMORY : ENDING_BROKEN);
}

// The default of SIGPROF ends the process.
static void set_timer(const struct engine_run *run, unsigned milliseconds) {
    const struct itimerval timer = {
        .it_value = {.tv_sec = milliseconds / 1000, .tv_usec = (suseconds_t)(milliseconds % 1000) * 1000},
    };
    if (setitimer(ITIMER_PROF, &timer, NULL) != 0) leave(run, ENDING_BROKEN);
}

duk_context *engine_start(struct engine_run *run, enum engine_globals globals) {
    static const char *const always[] = {"Duktape",     "CBOR",        "TextEncoder",
                                         "TextDecoder", "performance", "Buffer"};
    static const char *const newer[] = {"Proxy",        "Reflect",    "Symbol",           "ArrayBuffer",
                                        "DataView",     "Int8Array",  "Uint8Array",       "Int16Array",
                                        "Uint16Array",  "Int32Array", "Uint32Array",      "Float32Array",
                                        "Float64Array", "globalThis", "Uint8ClampedArray"};
    duk_context *engine = duk_create_heap(heap_alloc, heap_realloc, heap_free, run, heap_fatal);
    if (engine == NULL) leave(run, ENDING_MEMORY);
    duk_push_global_object(engine);
    for (size_t i = 0; i < sizeof always / sizeof *always; i++) duk_del_prop_string(engine, -1, always[i]);
    for (size_t i = 0; i < sizeof newer / sizeof *newer && globals == ENGINE_STRICTLY_5; i++) {
        duk_del_prop_string(engine, -1, newer[i]);
    }
    duk_pop(engine);
    set_timer(run, run->limits->milliseconds);
    return engine;
}

void engine_stop(struct engine_run *run, duk_context *engine) {
    if (run->refused) leave(run, ENDING_MEMORY);
    duk_destroy_heap(engine);
    set_timer(run, 0);
}

void engine_too_large(duk_context *engine) {
    duk_memory_functions functions;
    duk_get_memory_functions(engine, &functions);
    leave(functions.udata, ENDING_SIZE);
}

// What the process may do: compute.
static void confine(const struct engine_run *run) {
    const struct rlimit none = {0, 0};
    const struct rlimit seconds = {60, 60};
    struct rlimit files = {0, 0};
    sigset_t signals;
    // valgrind lets nobody lower the hard limit of files.
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) leave(run, ENDING_BROKEN);
    files.rlim_cur = 0;
    sigemptyset(&signals);
    const int handled[] = {SIGINT, SIGTERM, SIGHUP, SIGPROF};
    for (size_t i = 0; i < sizeof handled / sizeof *handled; i++) signal(handled[i], SIG_DFL);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || sigprocmask(SIG_SETMASK, &signals, NULL) != 0 ||
        setrlimit(RLIMIT_NOFILE, &files) != 0 || setrlimit(RLIMIT_FSIZE, &none) != 0 ||
        setrlimit(RLIMIT_CORE, &none) != 0 || setrlimit(RLIMIT_CPU, &seconds) != 0) {
        leave(run, ENDING_BROKEN);
    }
}

static void work(engine_job *job, const void *context, const struct engine_limits *limits, int out)
    __attribute__((noreturn));

static void work(engine_job *job, const void *context, const struct engine_limits *limits, int out) {
    struct engine_run run = {.limits = limits, .out = out};
    struct buffer reply;
    // Dates of a server are in UTC.
    if (setenv("TZ", "UTC0", 1) != 0) leave(&run, ENDING_BROKEN);
    tzset();
    confine(&run);
    buffer_init(&reply, ENGINE_REPLY_MAX);
    job(&run, context, &reply);
    if (reply.overflowed) leave(&run, ENDING_SIZE);
    const char ending = ENDING_REPLY;
    if (write_out(out, &ending, 1)) (void)write_out(out, reply.data, reply.size);
    _exit(0);
}

// ---- outside

// Reads until the other process closes its end; false if that takes too long.
static bool read_reply(int in, struct buffer *reply) {
    int64_t end = clock_monotonic(&clock_system) + WAIT_MAX_MS * NS_PER_MS;
    char block[16384];
    for (;;) {
        int64_t left = (end - clock_monotonic(&clock_system)) / NS_PER_MS;
        struct pollfd wait = {.fd = in, .events = POLLIN};
        if (left <= 0) return false;
        int ready = poll(&wait, 1, (int)left);
        if (ready < 0 && errno != EINTR) return false;
        if (ready <= 0) continue;
        ssize_t got = read(in, block, sizeof block);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return false;
        if (got == 0) return true;
        buffer_add(reply, block, (size_t)got);
    }
}

static enum engine_outcome outcome_of(int status, bool closed, const struct buffer *answer) {
    if (!closed) return ENGINE_TIME;
    if (WIFSIGNALED(status)) {
        int signal = WTERMSIG(status);
        return signal == SIGPROF || signal == SIGXCPU ? ENGINE_TIME : ENGINE_BROKEN;
    }
    switch (answer->size > 0 ? answer->data[0] : ENDING_BROKEN) {
        case ENDING_REPLY:
            return ENGINE_DONE;
        case ENDING_MEMORY:
            return ENGINE_MEMORY;
        case ENDING_SIZE:
            return ENGINE_SIZE;
        default:
            return ENGINE_BROKEN;
    }
}

int engine_run(engine_job *job, const void *context, const struct engine_limits *limits, struct buffer *reply,
               enum engine_outcome *ret_outcome, struct error *error) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return error_set(error, ERROR_SYSTEM, "cannot make a pipe: %s", strerror(errno));
    }
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        work(job, context, limits, ends[1]);
    }
    int code = errno;
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        return error_set(error, ERROR_SYSTEM, "cannot start a process for a script: %s", strerror(code));
    }
    BUFFER_AUTO answer;
    buffer_init(&answer, ENGINE_REPLY_MAX + 1);
    bool closed = read_reply(ends[0], &answer);
    close(ends[0]);
    if (!closed) kill(child, SIGKILL);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    *ret_outcome = outcome_of(status, closed, &answer);
    if (*ret_outcome == ENGINE_DONE) buffer_add(reply, answer.data + 1, answer.size - 1);
    return 0;
}
