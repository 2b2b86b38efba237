// SPDX-License-Identifier: Apache-2.0
#include "cli/ids.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/reader.h"
#include "base/utf8.h"

enum { READ_SIZE = 64 * 1024 };

static const char BYTE_ORDER_MARK[] = "\xef\xbb\xbf";

struct ids_delivery {
    ids_receiver *receiver;
    void *context;
    uint64_t count;               // IDs delivered
    uint64_t line;                // number of the present line, from 1
    size_t used;                  // bytes of it so far
    char text[IDS_LINE_MAX + 4];  // a byte order mark, CR, the terminator
};

int ids_find_origin(const struct invocation *invocation, bool terminal, bool has_default,
                    enum ids_origin *ret_origin, struct error *error) {
    if (invocation->argument_count > 0) {
        *ret_origin = IDS_ARGUMENTS;
    } else if (!terminal) {
        *ret_origin = IDS_INPUT;
    } else if (has_default) {
        *ret_origin = IDS_DEFAULT;
    } else {
        const char *command = invocation->command->name;
        const char *source = invocation->source->name;
        error_set(error, ERROR_USAGE, "there is no %s ID", command);
        error_hint(error,
                   "ttn-lw-migrate %s %s ID, or a file with one ID a line: ttn-lw-migrate %s %s < FILE",
                   source, command, source, command);
        return -ERROR_USAGE;
    }
    return 0;
}

// Why the text cannot be an ID, or NULL.
static const char *id_fault(const char *text, size_t size) {
    if (memchr(text, '\0', size) != NULL) return "it holds a zero byte";
    if (!utf8_valid(text, size)) return "it is not UTF-8";
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f) return "it holds a control character";
    }
    return NULL;
}

int ids_deliver_arguments(const struct invocation *invocation, ids_receiver *receiver, void *context,
                          uint64_t *ret_count, struct error *error) {
    int result = 0;
    size_t i = 0;
    for (; i < invocation->argument_count && result == 0; i++) {
        const char *id = invocation->arguments[i];
        size_t size = strlen(id);
        const char *fault = size == 0 ? "it is empty" : size > IDS_LINE_MAX ? "it is too long" : NULL;
        if (fault == NULL) fault = id_fault(id, size);
        if (fault != NULL) {
            result = error_set(error, ERROR_USAGE, "argument %zu is no ID: %s", i + 1, fault);
        } else {
            result = receiver(context, id, error);
        }
    }
    if (ret_count != NULL) *ret_count = result == 0 ? i : i - 1;
    return result;
}

static bool is_space(char byte) {
    return byte == ' ' || byte == '\t' || byte == '\r';
}

static int line_error(const struct ids_delivery *delivery, const char *fault, struct error *error) {
    error_set(error, ERROR_INPUT, "line %" PRIu64 " of standard input is no ID: %s", delivery->line, fault);
    error_hint(error, "the list must be plain text in UTF-8, one ID a line");
    return -ERROR_INPUT;
}

// The line is complete.
static int deliver_line(struct ids_delivery *delivery, struct error *error) {
    char *id = delivery->text;
    size_t size = delivery->used, mark = sizeof BYTE_ORDER_MARK - 1;
    delivery->used = 0;
    if (delivery->line == 1 && size >= mark && memcmp(id, BYTE_ORDER_MARK, mark) == 0) {
        id += mark;
        size -= mark;
    }
    if (size > 0 && id[size - 1] == '\r') size--;
    if (size > IDS_LINE_MAX) return line_error(delivery, "it is longer than 4096 bytes", error);
    for (; size > 0 && is_space(*id); size--) id++;
    while (size > 0 && is_space(id[size - 1])) size--;
    if (size == 0 || *id == '#') return 0;
    const char *fault = id_fault(id, size);
    if (fault != NULL) return line_error(delivery, fault, error);
    id[size] = '\0';
    int result = delivery->receiver(delivery->context, id, error);
    if (result == 0) delivery->count++;
    return result;
}

// Takes a piece of the stream apart into lines.
static int deliver_bytes(struct ids_delivery *delivery, const char *bytes, size_t size, struct error *error) {
    while (size > 0) {
        const char *end = memchr(bytes, '\n', size);
        size_t part = end != NULL ? (size_t)(end - bytes) : size;
        if (delivery->used + part > sizeof delivery->text - 1) {
            return line_error(delivery, "it is longer than 4096 bytes", error);
        }
        memcpy(delivery->text + delivery->used, bytes, part);
        delivery->used += part;
        bytes += part;
        size -= part;
        if (end == NULL) continue;
        bytes++;
        size--;
        int result = deliver_line(delivery, error);
        if (result != 0) return result;
        delivery->line++;
    }
    return 0;
}

int ids_deliver_input(const struct ids_input *input, ids_receiver *receiver, void *context,
                      uint64_t *ret_count, struct error *error) {
    struct ids_delivery delivery = {.receiver = receiver, .context = context, .line = 1};
    char *bytes MEMORY_AUTO = memory_alloc(READ_SIZE, 1);
    struct reader *reader = reader_of_descriptor(input->fd, "standard input", input->halt_fd);
    size_t size = 0;
    int result = 0;
    do {
        result = reader->operations->read(reader, bytes, READ_SIZE, &size, error);
        if (result == 0) result = deliver_bytes(&delivery, bytes, size, error);
    } while (result == 0 && size > 0);
    reader_close(reader);
    if (result == 0) result = deliver_line(&delivery, error);
    if (ret_count != NULL) *ret_count = delivery.count;
    return result;
}
