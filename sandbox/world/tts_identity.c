// SPDX-License-Identifier: Apache-2.0
// The Identity Server's device registry.
#include <stdlib.h>
#include <string.h>

#include "world/tts_p.h"

static bool may(struct tts_call *call, const char *application_id, enum tts_right right) {
    return tts_require_application(call, application_id, right);
}

static struct tts_node *record_of(struct tts_call *call, const struct tts_device *device) {
    return tts_blob_tree(&call->arena, &device->records[TTS_IS], "EndDevice");
}

// Whoever asks for the versions gets them, be they empty.
static struct tts_node *select_record(struct tts_call *call, const struct tts_device *device) {
    struct tts_node *out = tts_select(call, record_of(call, device));
    if (tts_mask_touches(call, "version_ids")) tts_make(&call->arena, out, "version_ids");
    return out;
}

// Host names are compared without their ports.
static bool same_host(struct wire_bytes a, struct wire_bytes b) {
    const uint8_t *end_a = a.size > 0 ? memchr(a.data, ':', a.size) : NULL;
    const uint8_t *end_b = b.size > 0 ? memchr(b.data, ':', b.size) : NULL;
    size_t size_a = end_a != NULL ? (size_t)(end_a - a.data) : a.size;
    size_t size_b = end_b != NULL ? (size_t)(end_b - b.data) : b.size;
    return size_a == size_b && memcmp(a.data, b.data, size_a) == 0;
}

static bool check_addresses(struct tts_call *call, const char *application_id) {
    static const struct {
        const char *path;
        enum tts_error error;
    } addresses[] = {
        {"network_server_address", TTS_NS_ADDRESS_MISMATCH},
        {"application_server_address", TTS_AS_ADDRESS_MISMATCH},
        {"join_server_address", TTS_JS_ADDRESS_MISMATCH},
    };
    const struct tts_application *application = tts_find_application(call->tts, application_id);
    const struct tts_node *known = tts_blob_tree(&call->arena, &application->record, "Application");
    const struct tts_node *device = tts_find(call->in, "end_device");
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        struct wire_bytes own = tts_bytes(known, addresses[i].path);
        struct wire_bytes said = tts_bytes(device, addresses[i].path);
        if (own.size > 0 && said.size > 0 && !same_host(own, said)) {
            return tts_refuse(call, tts_problem(call, addresses[i].error, NULL));
        }
    }
    return true;
}

static bool check_new(struct tts_call *call, const struct tts_device_ids *ids) {
    const struct tts_device *device = tts_find_device(call->tts, ids->application_id, ids->device_id);
    if (!tts_check_reserved(call, ids->device_id)) return false;
    if (device != NULL && device->records[TTS_IS].size > 0) {
        return tts_refuse(call, tts_because(tts_problem(call, TTS_ID_TAKEN, NULL),
                                            tts_problem(call, TTS_ALREADY_EXISTS, NULL)));
    }
    return tts_check_euis(call, ids, TTS_IS_EUIS_TAKEN);
}

static void lay_over(struct tts_call *call, struct tts_node *record, const struct tts_device_ids *ids) {
    const struct tts_node *device = tts_find(call->in, "end_device");
    for (size_t i = 0; i < call->path_count; i++) {
        tts_copy_path(&call->arena, record, device, call->paths[i]);
    }
    tts_stamp(call, record, ids);
}

void tts_is_create(struct tts_call *call) {
    struct tts_device_ids ids = tts_ids(call, "end_device.ids");
    if (!may(call, ids.application_id, TTS_RIGHT_APPLICATION_DEVICES_WRITE)) return;
    if (!check_addresses(call, ids.application_id) || !check_new(call, &ids)) return;
    struct tts_node *record = tts_new(&call->arena, "EndDevice");
    lay_over(call, record, &ids);
    struct tts_application *application = tts_find_application(call->tts, ids.application_id);
    struct tts_device *device = tts_add_device(call->tts, application, ids.device_id);
    tts_store_record(call->tts, device, TTS_IS, record);
    tts_answer(call, select_record(call, device));
}

// EUIs that a reader names narrow what is looked for.
static bool has_named_euis(const struct tts_node *record, const struct tts_device_ids *ids) {
    static const char *const euis[][2] = {{"dev_eui", "ids.dev_eui"}, {"join_eui", "ids.join_eui"}};
    for (size_t i = 0; i < sizeof euis / sizeof *euis; i++) {
        struct wire_bytes named = tts_bytes(ids->tree, euis[i][0]);
        struct wire_bytes own = tts_bytes(record, euis[i][1]);
        if (named.size == 0) continue;
        if (own.size != named.size || memcmp(own.data, named.data, own.size) != 0) return false;
    }
    return true;
}

void tts_is_get(struct tts_call *call) {
    struct tts_device_ids ids = tts_ids(call, "end_device_ids");
    if (!may(call, ids.application_id, TTS_RIGHT_APPLICATION_DEVICES_READ)) return;
    const struct tts_device *device = tts_known_device(call, &ids);
    if (device == NULL) return;
    if (!has_named_euis(record_of(call, device), &ids)) {
        tts_refuse(call, tts_problem(call, TTS_IS_DEVICE_NOT_FOUND, "device_id", ids.device_id,
                                     "application_id", ids.application_id, NULL));
        return;
    }
    tts_answer(call, select_record(call, device));
}

void tts_is_update(struct tts_call *call) {
    struct tts_device_ids ids = tts_ids(call, "end_device.ids");
    if (!may(call, ids.application_id, TTS_RIGHT_APPLICATION_DEVICES_WRITE)) return;
    struct tts_device *device = tts_known_device(call, &ids);
    if (device == NULL || !check_addresses(call, ids.application_id)) return;
    struct tts_node *record = record_of(call, device);
    struct tts_device_ids own = ids;
    own.tree = tts_find(record, "ids");
    lay_over(call, record, &own);
    tts_store_record(call->tts, device, TTS_IS, record);
    tts_answer(call, select_record(call, device));
}

void tts_is_delete(struct tts_call *call) {
    struct tts_device_ids ids = tts_ids(call, "");
    if (!may(call, ids.application_id, TTS_RIGHT_APPLICATION_DEVICES_WRITE)) return;
    struct tts_device *device = tts_known_device(call, &ids);
    if (device != NULL) tts_drop_record(call->tts, device, TTS_IS);
}

void tts_is_identifiers(struct tts_call *call) {
    if (!tts_require_key(call)) return;
    struct wire_bytes join_eui = tts_bytes(call->in, "join_eui");
    struct wire_bytes dev_eui = tts_bytes(call->in, "dev_eui");
    uint8_t euis[TTS_EUIS_SIZE];
    memcpy(euis, join_eui.data, TTS_EUI_SIZE);
    memcpy(euis + TTS_EUI_SIZE, dev_eui.data, TTS_EUI_SIZE);
    const struct tts_device *device = tts_find_euis(call->tts, TTS_IS, euis);
    if (device == NULL) {
        tts_refuse(call,
                   tts_problem(call, TTS_IS_DEVICE_NOT_FOUND, "device_id", "", "application_id", "", NULL));
        return;
    }
    tts_answer(call, tts_find(record_of(call, device), "ids"));
}

// ---- lists

struct row {
    const struct tts_device *device;
    struct wire_bytes text;  // what is compared
    uint64_t number;
};

static int compare_rows(const void *a, const void *b) {
    const struct row *one = a;
    const struct row *other = b;
    if (one->number != other->number) return one->number < other->number ? -1 : 1;
    size_t size = one->text.size < other->text.size ? one->text.size : other->text.size;
    int order = size > 0 ? memcmp(one->text.data, other->text.data, size) : 0;
    if (order != 0) return order;
    if (one->text.size != other->text.size) return one->text.size < other->text.size ? -1 : 1;
    return strcmp(one->device->device_id, other->device->device_id);
}

static int compare_down(const void *a, const void *b) {
    return compare_rows(b, a);
}

// The path that an order compares, or NULL: no such order.
static const char *order_path(const char *order) {
    static const char *const orders[][2] = {
        {"", "ids.device_id"},
        {"device_id", "ids.device_id"},
        {"join_eui", "ids.join_eui"},
        {"dev_eui", "ids.dev_eui"},
        {"name", "name"},
        {"description", "description"},
        {"created_at", "created_at"},
        {"last_seen_at", "last_seen_at"},
    };
    if (*order == '-') order++;
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        if (strcmp(orders[i][0], order) == 0) return orders[i][1];
    }
    return NULL;
}

static struct row make_row(struct tts_call *call, const struct tts_device *device, const char *path) {
    enum { MICRO = 1000000 };
    struct row row = {.device = device};
    if (strcmp(path, "ids.device_id") == 0) {
        row.text = (struct wire_bytes){(const uint8_t *)device->device_id, strlen(device->device_id)};
        return row;
    }
    const struct tts_node *value = tts_find(record_of(call, device), path);
    if (value != NULL && value->message == NULL) row.text = value->bytes;
    if (value != NULL && value->message != NULL) {
        row.number = tts_number(value, "seconds") * MICRO + tts_number(value, "nanos") / 1000;
    }
    return row;
}

static void put_page(struct tts_call *call, const struct row *rows, size_t count) {
    enum { END_DEVICES = 1 };
    size_t first = 0;
    size_t end = 0;
    tts_page(call, count, &first, &end);
    for (size_t i = first; i < end; i++) {
        size_t mark = wire_begin(&call->reply->body, END_DEVICES);
        tts_encode(select_record(call, rows[i].device), &call->reply->body);
        wire_end(&call->reply->body, mark);
    }
}

void tts_is_list(struct tts_call *call) {
    const char *application_id = tts_text(&call->arena, call->in, "application_ids.application_id");
    const char *order = tts_text(&call->arena, call->in, "order");
    const char *path = order_path(order);
    if (path == NULL) {
        struct tts_violation violation = {.message = "ListEndDevicesRequest",
                                          .field = arena_strdup(&call->arena, "order"),
                                          .reason = arena_strdup(&call->arena, "value must be in list")};
        tts_refuse_form(call, &violation);
        return;
    }
    if (!may(call, application_id, TTS_RIGHT_APPLICATION_DEVICES_READ)) return;
    struct tts_application *application = tts_find_application(call->tts, application_id);
    tts_sort_devices(application);
    struct row *rows = arena_new_array(&call->arena, struct row, application->device_count + 1);
    size_t count = 0;
    for (size_t i = 0; i < application->device_count; i++) {
        const struct tts_device *device = application->devices[i];
        if (device->records[TTS_IS].size > 0) rows[count++] = make_row(call, device, path);
    }
    if (*order != '\0') qsort(rows, count, sizeof *rows, *order == '-' ? compare_down : compare_rows);
    put_page(call, rows, count);
}
