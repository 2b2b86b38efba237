// SPDX-License-Identifier: Apache-2.0
// Calls to the world's The Things Stack, for tests. Messages are written as text that follows the tables:
// "end_device.ids.device_id=abc". Values: digits, x'hexadecimal', anything else is text.
#ifndef TESTS_UNIT_TEST_SANDBOX_TTS_HELP_H
#define TESTS_UNIT_TEST_SANDBOX_TTS_HELP_H

#include "test_sandbox_help.h"

#include "base/hex.h"
#include "world/tts_p.h"

#define IS_REGISTRY "EndDeviceRegistry/"
#define NS_REGISTRY "NsEndDeviceRegistry/"
#define AS_REGISTRY "AsEndDeviceRegistry/"
#define JS_REGISTRY "JsEndDeviceRegistry/"

// One call to a server with a key ("" = none); the reply is to be released.
static inline struct world_reply tts_call_bytes(struct world *world, int64_t now,
                                                enum world_endpoint endpoint, const char *method,
                                                const char *key, const void *body, size_t size) {
    char path[128];
    char authorization[160];
    snprintf(path, sizeof path, "/ttn.lorawan.v3.%s", method);
    snprintf(authorization, sizeof authorization, "Bearer %s", key);
    struct world_header headers[1] = {{"authorization", authorization}};
    struct world_request request = {
        .endpoint = endpoint,
        .method = path,
        .headers = headers,
        .header_count = *key != '\0' ? 1 : 0,
        .body = body,
        .body_size = size,
    };
    struct world_reply reply;
    world_call(world, now, &request, &reply);
    return reply;
}

static inline enum world_endpoint tts_endpoint(const char *method) {
    static const char *const services[] = {"NsEndDevice", "Ns/", "AsEndDevice", "As/", "JsEndDevice", "Js/"};
    static const enum world_endpoint endpoints[] = {WORLD_TTS_NS, WORLD_TTS_NS, WORLD_TTS_AS,
                                                    WORLD_TTS_AS, WORLD_TTS_JS, WORLD_TTS_JS};
    for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
        if (strncmp(method, services[i], strlen(services[i])) == 0) return endpoints[i];
    }
    return WORLD_TTS_IS;
}

// Sets "path=value" in a message; "path+value" adds an entry to the list `path`; "path" makes an empty message.
static inline void tts_put(struct arena *arena, struct tts_node *message, const char *text) {
    size_t size = strcspn(text, "=+");
    char *path = arena_strndup(arena, text, size);
    const char *value = text[size] != '\0' ? text + size + 1 : "";
    struct tts_node *node = NULL;
    if (text[size] == '+') {
        char *dot = strrchr(path, '.');
        if (dot != NULL) *dot = '\0';
        node = tts_add(arena, dot != NULL ? tts_make(arena, message, path) : message,
                       dot != NULL ? dot + 1 : path);
    } else {
        node = tts_make(arena, message, path);
    }
    if (node->message != NULL) return;
    if (node->field->type != TTS_STRING && node->field->type != TTS_BYTES) {
        node->number = strtoull(value, NULL, 10);
        if (node->field->type == TTS_FLOAT) {
            float number = strtof(value, NULL);
            uint32_t bits = 0;
            memcpy(&bits, &number, sizeof bits);
            node->number = bits;
        }
    } else if (strncmp(value, "x'", 2) == 0) {
        size_t length = (strlen(value) - 3) / 2;
        uint8_t *data = arena_alloc(arena, length + 1, 1);
        assert_true(hex_decode(data, length, value + 2, 2 * length));
        node->bytes = (struct wire_bytes){data, length};
    } else {
        node->bytes = (struct wire_bytes){(const uint8_t *)value, strlen(value)};
    }
}

// A call whose request is made of lines, ended by NULL; empty ones are passed over.
static inline struct world_reply tts_call_lines_at(struct world *world, int64_t now, const char *method,
                                                   const char *key, const char *const *lines) {
    ARENA_AUTO arena = {0};
    BUFFER_AUTO body;
    buffer_init(&body, BUFFER_UNLIMITED);
    const char *slash = strchr(method, '/');
    const char *request = NULL;
    for (size_t i = 0; i < tts_method_count; i++) {
        bool service = strncmp(tts_methods[i].service, method, (size_t)(slash - method)) == 0 &&
                       tts_methods[i].service[slash - method] == '\0';
        if (service && strcmp(tts_methods[i].name, slash + 1) == 0) request = tts_methods[i].request;
    }
    assert_non_null(request);
    struct tts_node *message = tts_new(&arena, request);
    for (size_t i = 0; lines[i] != NULL; i++) {
        if (*lines[i] != '\0') tts_put(&arena, message, lines[i]);
    }
    tts_encode(message, &body);
    return tts_call_bytes(world, now, tts_endpoint(method), method, key, body.data, body.size);
}

static inline struct world_reply tts_call_lines(struct world *world, const char *method, const char *key,
                                                const char *const *lines) {
    return tts_call_lines_at(world, NOW, method, key, lines);
}

#define LINES(...) ((const char *const[]){__VA_ARGS__, NULL})

// The answer as a tree; it lives as long as the reply.
static inline struct tts_node *tts_answer_tree(struct arena *arena, const char *message,
                                               const struct world_reply *reply) {
    struct tts_node *tree = NULL;
    uint64_t unknown = 0;
    assert_int_equal(reply->status, 0);
    assert_null(tts_parse(arena, tts_message(message),
                          (struct wire_bytes){reply->body.data, reply->body.size}, &tree, &unknown));
    assert_int_equal(unknown, 0);
    return tree;
}

// The details of a refusal: ErrorDetails.
static inline struct tts_node *tts_details_tree(struct arena *arena, const void *data, size_t size) {
    struct wire_reader status = {.data = data, .size = size};
    struct wire_field field;
    struct tts_node *tree = NULL;
    uint64_t unknown = 0;
    while (wire_next(&status, &field)) {
        if (field.number != 3) continue;
        struct wire_reader any = {.data = field.bytes.data, .size = field.bytes.size};
        struct wire_field part;
        while (wire_next(&any, &part)) {
            if (part.number == 2)
                assert_null(tts_parse(arena, tts_message("ErrorDetails"), part.bytes, &tree, &unknown));
        }
    }
    assert_non_null(tree);
    return tree;
}

// Checks code, "namespace:name" and, if not NULL, one attribute "name=value"; releases the reply.
static inline void tts_expect(struct world_reply reply, int status, const char *error,
                              const char *attribute) {
    ARENA_AUTO arena = {0};
    if (status != reply.status) print_message("%s\n", reply.message != NULL ? reply.message : "(no message)");
    assert_int_equal(reply.status, status);
    if (status != 0 && error != NULL) {
        const struct tts_node *details = tts_details_tree(&arena, reply.details.data, reply.details.size);
        const char *name = arena_printf(&arena, "%s:%s", tts_text(&arena, details, "namespace"),
                                        tts_text(&arena, details, "name"));
        assert_string_equal(name, error);
        assert_int_equal(tts_number(details, "code"), status);
        bool found = attribute == NULL;
        const struct tts_node *entry = tts_find(details, "attributes.fields");
        for (; entry != NULL; entry = tts_next_entry(entry)) {
            const struct tts_node *list = tts_find(entry, "value.list_value.values");
            const char *text = tts_text(&arena, list != NULL ? list : entry,
                                        list != NULL ? "string_value" : "value.string_value");
            const char *own = arena_printf(&arena, "%s=%s", tts_text(&arena, entry, "key"), text);
            if (attribute != NULL && strcmp(own, attribute) == 0) found = true;
        }
        if (!found) print_message("no %s in %s\n", attribute, reply.message);
        assert_true(found);
    }
    world_reply_release(&reply);
}

#endif
