// SPDX-License-Identifier: Apache-2.0
#include "cli/ids.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "fake_sources.h"

enum { LIST_MAX = 1024 };

// IDs joined with a bar.
struct list {
    char text[LIST_MAX];
    uint64_t count;
    uint64_t most;  // 0 = all
};

static int list_add(void *context, const char *id, struct error *error) {
    struct list *list = context;
    if (list->most > 0 && list->count == list->most) return error_set(error, ERROR_DEVICE, "enough");
    size_t used = strlen(list->text);
    snprintf(list->text + used, sizeof list->text - used, "%s%s", used > 0 ? "|" : "", id);
    list->count++;
    return 0;
}

static int count_add(void *context, const char *id, struct error *error) {
    (void)id;
    (void)error;
    ++*(uint64_t *)context;
    return 0;
}

// A descriptor that gives these bytes.
static int stream_of(const void *bytes, size_t size) {
    int fd = memfd_create("ids", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), (ssize_t)size);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

struct input_case {
    const char *input;
    size_t size;
    const char *ids;      // joined with a bar
    const char *message;  // NULL: no error
};

#define INPUT(input, ids) \
    { input, sizeof(input) - 1, ids, NULL }
#define FAULTY(input, ids, message) \
    { input, sizeof(input) - 1, ids, message }

static const struct input_case input_cases[] = {
    INPUT("", ""),
    INPUT("\n", ""),
    INPUT("a", "a"),
    INPUT("a\n", "a"),
    INPUT("a\nb", "a|b"),
    INPUT("a\r\nb\r\n", "a|b"),
    INPUT("a\r\nb\r", "a|b"),
    INPUT("\n\n a \n\t\n\tb\t\n  \n", "a|b"),
    INPUT("# comment\na\n  # another\n#\nb#c\n", "a|b#c"),
    INPUT("a\na\nb\na\n", "a|a|b|a"),
    INPUT("two words\n", "two words"),
    INPUT("\xef\xbb\xbf"
          "a\nb\n",
          "a|b"),
    INPUT("\xef\xbb\xbf", ""),
    INPUT("\xef\xbb\xbf# c\r\na", "a"),
    INPUT("ger\xc3\xa4t\n", "ger\xc3\xa4t"),
    INPUT("--dry-run\n-\n", "--dry-run|-"),
    FAULTY("a\nb\0c\nd\n", "a", "line 2 of standard input is no ID: it holds a zero byte"),
    FAULTY("\xff\xfe"
           "a\0\n\0",
           "", "line 1 of standard input is no ID: it holds a zero byte"),
    FAULTY("a\n\nb\x1b[2J\n", "a", "line 3 of standard input is no ID: it holds a control character"),
    FAULTY("a\rb\n", "", "line 1 of standard input is no ID: it holds a control character"),
    FAULTY("a\n\xc3\n", "a", "line 2 of standard input is no ID: it is not UTF-8"),
    FAULTY("a\n\xef\xbb\xbf"
           "b\x7f",
           "a", "line 2 of standard input is no ID: it holds a control character"),
};

static void test_input(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof input_cases / sizeof *input_cases; i++) {
        const struct input_case *entry = &input_cases[i];
        ERROR_AUTO error = {0};
        struct list list = {0};
        uint64_t count = 0;
        const struct ids_input input = {.fd = stream_of(entry->input, entry->size), .halt_fd = -1};
        int result = ids_deliver_input(&input, list_add, &list, &count, &error);
        assert_int_equal(result, entry->message == NULL ? 0 : -ERROR_INPUT);
        if (entry->message != NULL) assert_string_equal(error.message, entry->message);
        assert_string_equal(list.text, entry->ids);
        assert_int_equal(count, list.count);
        close(input.fd);
    }
}

static void test_long_lines(void **state) {
    (void)state;
    enum { SPARE = 16 };
    char *text MEMORY_AUTO = memory_alloc(IDS_LINE_MAX + SPARE, 1);
    memset(text, 'x', IDS_LINE_MAX + SPARE);
    for (size_t size = IDS_LINE_MAX - 1; size <= IDS_LINE_MAX + SPARE; size++) {
        ERROR_AUTO error = {0};
        uint64_t count = 0;
        const struct ids_input input = {.fd = stream_of(text, size), .halt_fd = -1};
        int result = ids_deliver_input(&input, count_add, &count, NULL, &error);
        assert_int_equal(result, size <= IDS_LINE_MAX ? 0 : -ERROR_INPUT);
        if (result != 0) {
            assert_string_equal(error.message,
                                "line 1 of standard input is no ID: it is longer than 4096 bytes");
        }
        close(input.fd);
    }
}

// The ends of lines must be found wherever the pipe cuts the stream.
static void test_pieces(void **state) {
    (void)state;
    static const char text[] =
        "\xef\xbb\xbf"
        "first\r\n# no\nsecond\r\nthird";
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        for (size_t i = 0; i < sizeof text - 1; i++) {
            if (write(ends[1], text + i, 1) != 1) _exit(1);
            usleep(200);
        }
        _exit(0);
    }
    close(ends[1]);
    struct list list = {0};
    const struct ids_input input = {.fd = ends[0], .halt_fd = -1};
    assert_int_equal(ids_deliver_input(&input, list_add, &list, NULL, NULL), 0);
    assert_string_equal(list.text, "first|second|third");
    close(ends[0]);
}

static void test_refusal(void **state) {
    (void)state;
    ERROR_AUTO error = {0};
    struct list list = {.most = 2};
    uint64_t count = 0;
    const struct ids_input input = {.fd = stream_of("a\nb\nc\nd\n", 8), .halt_fd = -1};
    assert_int_equal(ids_deliver_input(&input, list_add, &list, &count, &error), -ERROR_DEVICE);
    assert_string_equal(error.message, "enough");
    assert_string_equal(list.text, "a|b");
    assert_int_equal(count, 2);
    close(input.fd);
}

static void test_halt(void **state) {
    (void)state;
    ERROR_AUTO error = {0};
    int quiet[2], halt[2];
    assert_int_equal(pipe(quiet), 0);
    assert_int_equal(pipe(halt), 0);
    assert_int_equal(write(halt[1], "x", 1), 1);
    uint64_t count = 0;
    const struct ids_input input = {.fd = quiet[0], .halt_fd = halt[0]};
    assert_int_equal(ids_deliver_input(&input, count_add, &count, NULL, &error), -ERROR_CANCELLED);
    for (size_t i = 0; i < 2; i++) {
        close(quiet[i]);
        close(halt[i]);
    }
}

static void test_unreadable(void **state) {
    (void)state;
    ERROR_AUTO error = {0};
    uint64_t count = 0;
    struct ids_input input = {.fd = open("/dev/null", O_WRONLY | O_CLOEXEC), .halt_fd = -1};
    assert_int_equal(ids_deliver_input(&input, count_add, &count, NULL, &error), -ERROR_INPUT);
    close(input.fd);
    input.fd = open("/", O_RDONLY | O_CLOEXEC);
    assert_int_equal(ids_deliver_input(&input, count_add, &count, NULL, &error), -ERROR_INPUT);
    close(input.fd);
}

static void test_million(void **state) {
    (void)state;
    enum { IDS = 1000000, ID_SIZE = 16 };
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        FILE *stream = fdopen(ends[1], "w");
        for (unsigned i = 0; i < IDS; i++) fprintf(stream, "device-%08u\n", i);
        _exit(fclose(stream) == 0 ? 0 : 1);
    }
    close(ends[1]);
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    uint64_t count = 0, delivered = 0;
    const struct ids_input input = {.fd = ends[0], .halt_fd = -1};
    assert_int_equal(ids_deliver_input(&input, count_add, &delivered, &count, NULL), 0);
    getrusage(RUSAGE_SELF, &after);
    assert_int_equal(count, IDS);
    assert_int_equal(delivered, IDS);
    assert_true(after.ru_maxrss - before.ru_maxrss < 1024);
    close(ends[0]);
}

static void test_arguments(void **state) {
    (void)state;
    char a[] = "a", long_id[IDS_LINE_MAX + 2], empty[] = "", control[] = "x\ny";
    memset(long_id, 'x', sizeof long_id - 1);
    long_id[sizeof long_id - 1] = '\0';
    char *bad[] = {long_id, empty, control};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ERROR_AUTO error = {0};
        char *arguments[] = {a, bad[i]};
        struct list list = {0};
        uint64_t count = 0;
        const struct invocation invocation = {.arguments = arguments, .argument_count = 2};
        assert_int_equal(ids_deliver_arguments(&invocation, list_add, &list, &count, &error), -ERROR_USAGE);
        assert_string_equal(list.text, "a");
        assert_int_equal(count, 1);
    }
    char *arguments[] = {a, a};
    struct list list = {0};
    uint64_t count = 0;
    const struct invocation invocation = {.arguments = arguments, .argument_count = 2};
    assert_int_equal(ids_deliver_arguments(&invocation, list_add, &list, &count, NULL), 0);
    assert_string_equal(list.text, "a|a");
    assert_int_equal(count, 2);
}

static void test_origin(void **state) {
    (void)state;
    ERROR_AUTO error = {0};
    enum ids_origin origin = IDS_DEFAULT;
    struct invocation invocation = {.command = command_find("device", 6), .source = &fake_ttnv2};
    assert_int_equal(ids_find_origin(&invocation, false, false, &origin, &error), 0);
    assert_int_equal(origin, IDS_INPUT);
    assert_int_equal(ids_find_origin(&invocation, true, true, &origin, &error), 0);
    assert_int_equal(origin, IDS_DEFAULT);
    assert_int_equal(ids_find_origin(&invocation, false, true, &origin, &error), 0);
    assert_int_equal(origin, IDS_INPUT);
    assert_int_equal(ids_find_origin(&invocation, true, false, &origin, &error), -ERROR_USAGE);
    assert_string_equal(error.message, "there is no device ID");
    invocation.argument_count = 1;
    assert_int_equal(ids_find_origin(&invocation, true, false, &origin, &error), 0);
    assert_int_equal(origin, IDS_ARGUMENTS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_input),   cmocka_unit_test(test_long_lines), cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_refusal), cmocka_unit_test(test_halt),       cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_million), cmocka_unit_test(test_arguments),  cmocka_unit_test(test_origin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
