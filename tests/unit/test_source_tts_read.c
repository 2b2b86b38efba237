// SPDX-License-Identifier: Apache-2.0
// Source tts: options, rights, lists, and what becomes of devices of which a server knows nothing, too little or another
// thing.
#include "support/tts_world.h"

#include "device/validate.h"

static int convert(struct tts_world *world, struct device *device) {
    error_release(&world->error);
    device_init(device);
    int result = world->source->driver->convert(world->source, &world->record, device, &world->error);
    return result != 0 ? result : device_validate(device, frequency_plans_builtin(), &world->error);
}

static bool has_note(const struct device *device, const char *path) {
    for (size_t i = 0; i < device->notes.count; i++) {
        if (strcmp(device->notes.items[i].path, path) == 0) return true;
    }
    return false;
}

// Reads a device that lacks some servers' parts.
static void begin_without(struct tts_world *world, bool joins, enum stack_role missing) {
    world_init(world, NULL);
    world_fill(world, joins);
    world->at[missing] = NULL;
    assert_int_equal(world_open(world, false), 0);
    assert_int_equal(world_run(world, world_prepare, false), JOB_DONE);
    world->record.id = memory_strdup("my-device");
    assert_int_equal(world_run(world, world_read, false), JOB_DONE);
}

// ---- options

static void test_addresses(void **state) {
    (void)state;
    struct tts_world world;
    world_init(&world, NULL);
    world_option(&world, "network-server-grpc-address", "nam1.example:1234");
    assert_int_equal(world_open(&world, false), 0);
    const struct tts_source *self = tts_source_of(world.source);
    assert_string_equal(self->peers[STACK_IDENTITY].server.address, "stack.example:8884");
    assert_string_equal(self->peers[STACK_NETWORK].server.address, "nam1.example:1234");
    assert_string_equal(self->peers[STACK_JOIN].server.name, "Join Server stack.example:8884");
    assert_false(self->peers[STACK_JOIN].server.plain);
    assert_null(world.source->warning);
    assert_false(world.source->keeps);
    assert_false(world.source->frees);
    world_release(&world);
    world_init(&world, "delete");
    world_option(&world, "insecure", "true");
    assert_int_equal(world_open(&world, false), 0);
    self = tts_source_of(world.source);
    assert_string_equal(self->peers[STACK_APPLICATION].server.address, "stack.example:1884");
    assert_true(self->peers[STACK_APPLICATION].server.plain);
    assert_non_null(strstr(world.source->warning, "without TLS"));
    assert_true(world.source->frees);
    world_release(&world);
}

static void test_bad_options(void **state) {
    (void)state;
    static const struct {
        const char *name, *value, *message;
    } cases[] = {{"app-api-key", "two words", "--tts.app-api-key"},
                 {"default-grpc-address", "http://tts.example", "without TLS everybody"},
                 {"default-grpc-address", "no host:x", "--tts.default-grpc-address"},
                 {"ca-file", "/nonexistent/ca.pem", "--tts.ca-file"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tts_world world;
        world_init(&world, NULL);
        world_option(&world, cases[i].name, cases[i].value);
        assert_int_equal(world_open(&world, false), -ERROR_USAGE);
        char *chain MEMORY_AUTO = error_chain(&world.error);
        if (strstr(chain, cases[i].message) == NULL) fail_msg("%s", chain);
        assert_null(strstr(chain, "two words"));
        world_release(&world);
    }
    struct tts_world world;
    world_init(&world, "silence");
    world_option(&world, "delete-source-device", "true");
    assert_int_equal(world_open(&world, false), -ERROR_USAGE);
    world_release(&world);
}

static void test_missing_address(void **state) {
    (void)state;
    struct tts_world world = {0};
    world.options = option_values_new(source_find(source_drivers(), "tts", 3)->options);
    world_option(&world, "app-id", "my-app");
    world_option(&world, "app-api-key", "NNSXS.MADEUP");
    world_option(&world, "identity-server-grpc-address", "stack.example");
    assert_int_equal(world_open(&world, false), -ERROR_USAGE);
    assert_non_null(strstr(world.error.message, "Network Server"));
    assert_non_null(strstr(world.error.hint, "--tts.default-grpc-address"));
    world_release(&world);
}

static void test_delete_flag(void **state) {
    (void)state;
    struct tts_world world;
    world_init(&world, NULL);
    world_option(&world, "delete-source-device", "true");
    assert_int_equal(world_open(&world, false), 0);
    assert_int_equal(tts_source_of(world.source)->release, TTS_DELETE);
    world_release(&world);
}

// ---- rights

static Tts__Right given[8];
static size_t given_count;

static bool give_rights(struct tts_world *world, const struct call *call, struct reply *reply) {
    (void)world;
    if (strstr(call->method, "ListRights") == NULL) return false;
    Tts__Rights rights = TTS__RIGHTS__INIT;
    rights.n_rights = given_count;
    rights.rights = given;
    world_message(reply, &rights.base);
    return true;
}

static void check_rights(const char *release, bool dry_run, const char *missing) {
    struct tts_world world;
    world_init(&world, release);
    world.before = give_rights;
    assert_int_equal(world_open(&world, dry_run), 0);
    enum job_step step = world_run(&world, world_prepare, false);
    if (missing == NULL) {
        assert_int_equal(step, JOB_DONE);
    } else {
        assert_int_equal(step, JOB_FAILED);
        assert_int_equal(world.error.code, ERROR_DENIED);
        if (strstr(world.error.message, missing) == NULL) fail_msg("%s", world.error.message);
    }
    world_release(&world);
}

static void test_rights(void **state) {
    (void)state;
    given[0] = TTS__RIGHT__RIGHT_APPLICATION_DEVICES_READ;
    given[1] = TTS__RIGHT__RIGHT_APPLICATION_DEVICES_READ_KEYS;
    given[2] = TTS__RIGHT__RIGHT_APPLICATION_DEVICES_WRITE;
    given_count = 1;
    check_rights(NULL, true, "RIGHT_APPLICATION_DEVICES_READ_KEYS");
    given_count = 2;
    check_rights(NULL, true, NULL);
    check_rights("none", false, NULL);
    check_rights(NULL, false, "RIGHT_APPLICATION_DEVICES_WRITE");
    given_count = 3;
    check_rights("delete", false, NULL);
}

static bool prepare_garbage(struct tts_world *world, const struct call *call, struct reply *reply) {
    (void)world;
    (void)call;
    world_status(reply, GRPC_OK, NULL);
    buffer_puts(&reply->body, "\xff\xff garbage");
    return true;
}

static void test_prepare_garbage(void **state) {
    (void)state;
    struct tts_world world;
    world_init(&world, NULL);
    world.before = prepare_garbage;
    assert_int_equal(world_open(&world, false), 0);
    assert_int_equal(world_run(&world, world_prepare, false), JOB_FAILED);
    assert_int_equal(world.error.code, ERROR_PROTOCOL);
    world_release(&world);
}

// The public cloud has one Identity Server.
static bool no_service(struct tts_world *world, const struct call *call, struct reply *reply) {
    (void)world;
    (void)call;
    world_status(reply, GRPC_UNIMPLEMENTED, "unknown service ttn.lorawan.v3.ApplicationAccess");
    return true;
}

static void test_wrong_cluster(void **state) {
    (void)state;
    struct tts_world world;
    world_init(&world, NULL);
    world_option(&world, "default-grpc-address", "nam1.cloud.thethings.network");
    world.before = no_service;
    assert_int_equal(world_open(&world, false), 0);
    assert_int_equal(world_run(&world, world_prepare, false), JOB_FAILED);
    assert_non_null(strstr(world.error.hint, "eu1.cloud.thethings.network:8884"));
    world_release(&world);
}

// ---- lists

struct list {
    size_t devices, claimed;
    bool same;     // every page is the first one
    bool foreign;  // devices of another application
};

static void list_reply(struct tts_world *world, const struct call *call, const struct list *list,
                       struct reply *reply) {
    Tts__ListEndDevicesRequest *request = message_unpack(&tts__list_end_devices_request__descriptor,
                                                         call->body, call->body_size, &world->arena, NULL);
    assert_non_null(request);
    assert_int_equal(request->limit, 1000);
    assert_string_equal(request->application_ids->application_id, "my-app");
    Tts__EndDevices *page = message_new(&world->arena, &tts__end_devices__descriptor);
    size_t first = list->same ? 0 : (size_t)(request->page - 1) * 1000;
    page->end_devices = arena_new_array(&world->arena, Tts__EndDevice *, 1000);
    for (size_t i = first; i < list->devices && i < first + 1000; i++) {
        Tts__EndDevice *device = world_part(world);
        device->ids->device_id = arena_printf(&world->arena, "device-%06zu", i);
        if (list->foreign)
            device->ids->application_ids->application_id = arena_strdup(&world->arena, "other");
        page->end_devices[page->n_end_devices++] = device;
    }
    world_message(reply, &page->base);
    char total[24];
    snprintf(total, sizeof total, "%zu", list->claimed);
    if (list->claimed > 0) reply_add_header(reply, "x-total-count", 13, total, strlen(total));
}

// Lists all pages; returns the number of devices, or the error's code.
static int list_all(const struct list *list, struct error *error) {
    struct tts_world world;
    world_init(&world, NULL);
    assert_int_equal(world_open(&world, true), 0);
    assert_int_equal(world_run(&world, world_prepare, false), JOB_DONE);
    struct source_page page = {0};
    int result = 0;
    for (int i = 0; i < 20 && result == 0; i++) {
        struct arena arena = {0};
        struct job job = {.arena = &arena};
        const struct source_driver *driver = world.source->driver;
        assert_int_equal(driver->list(world.source, &job, &page, error), JOB_CALLS);
        assert_int_equal(job.call_count, 1);
        list_reply(&world, &job.calls[0], list, &job.replies[0]);
        job.call_count = 0;
        enum job_step step = driver->list(world.source, &job, &page, error);
        if (step == JOB_FAILED) result = -(int)error->code;
        reply_release(&job.replies[0]);
        arena_release(&arena);
        if (page.cursor == NULL) break;
        assert_true(i < 19);
    }
    if (result == 0) result = (int)page.count;
    source_page_release(&page);
    world_release(&world);
    return result;
}

static void test_pages(void **state) {
    (void)state;
    ERROR_AUTO error = {0};
    assert_int_equal(list_all(&(struct list){.devices = 0, .claimed = 0}, &error), 0);
    assert_int_equal(list_all(&(struct list){.devices = 1, .claimed = 1}, &error), 1);
    assert_int_equal(list_all(&(struct list){.devices = 1000, .claimed = 1000}, &error), 1000);
    assert_int_equal(list_all(&(struct list){.devices = 2500, .claimed = 2500}, &error), 2500);
    // Without a total, a page that is not full is the last one.
    assert_int_equal(list_all(&(struct list){.devices = 2500}, &error), 2500);
    assert_int_equal(list_all(&(struct list){.devices = 2000}, &error), 2000);
    assert_false(error_is_set(&error));
}

static void test_bad_pages(void **state) {
    (void)state;
    ERROR_AUTO error = {0};
    // The same page over and over, fewer devices than were said, devices of others.
    assert_int_equal(list_all(&(struct list){.devices = 1000, .claimed = 5000, .same = true}, &error),
                     -ERROR_PROTOCOL);
    assert_int_equal(list_all(&(struct list){.devices = 1000, .same = true}, &error), -ERROR_PROTOCOL);
    assert_int_equal(list_all(&(struct list){.devices = 1500, .claimed = 5000}, &error), -ERROR_PROTOCOL);
    assert_int_equal(list_all(&(struct list){.devices = 3, .claimed = 3, .foreign = true}, &error),
                     -ERROR_PROTOCOL);
}

// ---- reading

static void test_whole_device(void **state) {
    (void)state;
    struct tts_world world;
    world_begin(&world, NULL, true);
    assert_string_equal(world.log, "IS.Get NS.Get AS.Get JS.Get ");
    assert_true(world.record.complete);
    DEVICE_AUTO device;
    assert_int_equal(convert(&world, &device), 0);
    assert_int_equal(device.notes.count, 0);
    const Tts__EndDevice *message = device.end_device;
    assert_string_equal(message->name, "My device");
    assert_string_equal(message->network_server_address, "");
    assert_int_equal(message->session->keys->app_s_key->key.data[0], 0x30);
    assert_int_equal(message->session->last_n_f_cnt_down, 20);
    assert_int_equal(message->root_keys->app_key->key.data[0], 0x50);
    assert_int_equal(message->last_join_nonce, 7);
    world_release(&world);
}

static void test_no_such_device(void **state) {
    (void)state;
    struct tts_world world;
    world_init(&world, NULL);
    assert_int_equal(world_open(&world, false), 0);
    assert_int_equal(world_run(&world, world_prepare, false), JOB_DONE);
    world.record.id = memory_strdup("my-device");
    assert_int_equal(world_run(&world, world_read, false), JOB_FAILED);
    assert_int_equal(world.error.code, ERROR_NOT_FOUND);
    assert_false(world.record.complete);
    world_release(&world);
}

static void test_half_registered(void **state) {
    (void)state;
    struct tts_world world;
    DEVICE_AUTO without_identity;
    begin_without(&world, true, STACK_IDENTITY);
    assert_int_equal(convert(&world, &without_identity), 0);
    assert_true(has_note(&without_identity, "ids"));
    assert_string_equal(device_id(&without_identity), "my-device");
    world_release(&world);

    DEVICE_AUTO without_join;
    begin_without(&world, true, STACK_JOIN);
    assert_int_equal(convert(&world, &without_join), 0);
    assert_true(has_note(&without_join, "root_keys"));
    assert_non_null(without_join.end_device->session);
    world_release(&world);

    DEVICE_AUTO without_application;
    begin_without(&world, true, STACK_APPLICATION);
    assert_int_equal(convert(&world, &without_application), 0);
    assert_true(has_note(&without_application, "formatters"));
    assert_true(has_note(&without_application, "session"));
    assert_null(without_application.end_device->session);
    assert_null(without_application.end_device->mac_state);
    world_release(&world);

    DEVICE_AUTO fixed;
    begin_without(&world, false, STACK_APPLICATION);
    assert_int_equal(convert(&world, &fixed), -ERROR_DEVICE);
    world_release(&world);

    DEVICE_AUTO without_network;
    begin_without(&world, true, STACK_NETWORK);
    assert_int_equal(convert(&world, &without_network), -ERROR_DEVICE);
    assert_non_null(strstr(world.error.hint, "register it there"));
    world_release(&world);
}

// A device of another cluster: the address of that is what is missing.
static void test_other_cluster(void **state) {
    (void)state;
    struct tts_world world;
    world_init(&world, NULL);
    world_fill(&world, true);
    world.at[STACK_NETWORK] = NULL;
    world.at[STACK_IDENTITY]->network_server_address = arena_strdup(&world.arena, "nam1.example");
    assert_int_equal(world_open(&world, false), 0);
    assert_int_equal(world_run(&world, world_prepare, false), JOB_DONE);
    world.record.id = memory_strdup("my-device");
    assert_int_equal(world_run(&world, world_read, false), JOB_DONE);
    DEVICE_AUTO device;
    assert_int_equal(convert(&world, &device), -ERROR_DEVICE);
    assert_non_null(strstr(world.error.hint, "nam1.example: --tts.network-server-grpc-address"));
    world_release(&world);
}

// What --tts.release keys leaves behind.
static void test_exported_before(void **state) {
    (void)state;
    struct tts_world world;
    world_init(&world, NULL);
    world_fill(&world, true);
    world.at[STACK_NETWORK] = world.at[STACK_APPLICATION] = world.at[STACK_JOIN] = NULL;
    assert_int_equal(world_open(&world, false), 0);
    assert_int_equal(world_run(&world, world_prepare, false), JOB_DONE);
    world.record.id = memory_strdup("my-device");
    assert_int_equal(world_run(&world, world_read, false), JOB_DONE);
    DEVICE_AUTO device;
    assert_int_equal(convert(&world, &device), -ERROR_EMPTY);
    world_release(&world);
}

static void test_other_euis(void **state) {
    (void)state;
    for (enum stack_role server = STACK_NETWORK; server < STACK_ROLES; server++) {
        struct tts_world world;
        world_init(&world, NULL);
        world_fill(&world, true);
        world.at[server]->ids->dev_eui.data[7] ^= 1;
        assert_int_equal(world_open(&world, false), 0);
        assert_int_equal(world_run(&world, world_prepare, false), JOB_DONE);
        world.record.id = memory_strdup("my-device");
        assert_int_equal(world_run(&world, world_read, false), JOB_DONE);
        DEVICE_AUTO device;
        assert_int_equal(convert(&world, &device), -ERROR_DEVICE);
        assert_non_null(strstr(world.error.message, stack_title(server)));
        world_release(&world);
    }
}

static enum stack_role hostile_server;
static enum { OTHER_DEVICE, OTHER_APPLICATION, NO_IDS, SHORT_EUI, GARBAGE, EMPTY, LOST } hostility;

static bool hostile(struct tts_world *world, const struct call *call, struct reply *reply) {
    if (!world_is(call, hostile_server, "Get")) return false;
    Tts__EndDevice *part = world_part(world);
    switch (hostility) {
        case OTHER_DEVICE:
            part->ids->device_id = arena_strdup(&world->arena, "your-device");
            break;
        case OTHER_APPLICATION:
            part->ids->application_ids->application_id = arena_strdup(&world->arena, "your-app");
            break;
        case NO_IDS:
            part->ids = NULL;
            break;
        case SHORT_EUI:
            part->ids->dev_eui.len = 3;
            break;
        case GARBAGE:
            world_status(reply, GRPC_OK, NULL);
            buffer_add(&reply->body, "\x0a\xff\xff\xff\x0f", 5);
            return true;
        case EMPTY:
            world_status(reply, GRPC_OK, NULL);
            return true;
        case LOST:
            *reply = (struct reply){.outcome = REPLY_LOST};
            return true;
    }
    world_message(reply, &part->base);
    return true;
}

static void test_hostile_servers(void **state) {
    (void)state;
    for (hostile_server = STACK_IDENTITY; hostile_server < STACK_ROLES; hostile_server++) {
        for (hostility = OTHER_DEVICE; hostility <= LOST; hostility++) {
            struct tts_world world;
            world_begin(&world, NULL, true);
            world.record.complete = false;
            world.before = hostile;
            assert_int_equal(world_run(&world, world_read, false), JOB_FAILED);
            assert_int_equal(world.error.code, hostility == LOST ? ERROR_UNAVAILABLE : ERROR_PROTOCOL);
            world_release(&world);
        }
    }
}

static void test_bad_record(void **state) {
    (void)state;
    struct tts_world world;
    world_begin(&world, NULL, true);
    source_record_set_data(&world.record, "", 0);
    DEVICE_AUTO empty;
    assert_int_equal(convert(&world, &empty), -ERROR_PROTOCOL);
    source_record_set_data(&world.record, "\x0a\x7f", 2);
    DEVICE_AUTO torn;
    assert_int_equal(convert(&world, &torn), -ERROR_PROTOCOL);
    world_release(&world);
}

// ---- sessions

// Kinds of devices: 0 does not join, 1 joins, 2 would, but nobody has its root keys.
static void test_no_session(void **state) {
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        bool joins = kind == 1;
        struct tts_world world;
        world_init(&world, NULL);
        world_option(&world, "no-session", "true");
        world_fill(&world, kind > 0);
        if (kind == 2) world.at[STACK_JOIN]->root_keys = NULL;
        world.at[STACK_NETWORK]->pending_session = joins ? world_session(&world, true) : NULL;
        assert_int_equal(world_open(&world, false), 0);
        assert_int_equal(world_run(&world, world_prepare, false), JOB_DONE);
        world.record.id = memory_strdup("my-device");
        assert_int_equal(world_run(&world, world_read, false), JOB_DONE);
        DEVICE_AUTO device;
        assert_int_equal(convert(&world, &device), 0);
        assert_int_equal(device.end_device->session == NULL, joins);
        assert_null(device.end_device->pending_session);
        assert_int_equal(device.notes.count, kind == 0 ? 1 : kind == 1 ? 0 : 2);
        world_release(&world);
    }
}

// The Application Server's key goes with the session of the same ID, wherever it has it.
static void test_session_of_a_new_join(void **state) {
    (void)state;
    struct tts_world world;
    world_init(&world, NULL);
    world_fill(&world, true);
    Tts__EndDevice *application = world.at[STACK_APPLICATION];
    application->pending_session = application->session;
    application->session = world_session(&world, true);
    application->session->keys->session_key_id = world_bytes(&world, 16, 0x01);
    application->session->keys->app_s_key = world_key(&world, 0x77);
    assert_int_equal(world_open(&world, false), 0);
    assert_int_equal(world_run(&world, world_prepare, false), JOB_DONE);
    world.record.id = memory_strdup("my-device");
    assert_int_equal(world_run(&world, world_read, false), JOB_DONE);
    DEVICE_AUTO device;
    assert_int_equal(convert(&world, &device), 0);
    assert_int_equal(device.end_device->session->keys->app_s_key->key.data[0], 0x30);
    world_release(&world);
}

// A last downlink counter of 0 with proof that it was used becomes 1.
static void test_first_downlink(void **state) {
    (void)state;
    struct tts_world world;
    world_init(&world, NULL);
    world_fill(&world, true);
    Tts__EndDevice *network = world.at[STACK_NETWORK];
    network->session->last_n_f_cnt_down = 0;
    assert_int_equal(tts_source_last_n_f_cnt_down(network), 0);
    network->mac_state = message_new(&world.arena, &tts__macstate__descriptor);
    Tts__MACState__DownlinkMessage *downlink =
        message_new(&world.arena, &tts__macstate__downlink_message__descriptor);
    downlink->payload = message_new(&world.arena, &tts__macstate__downlink_message__message__descriptor);
    message_append(&world.arena, &network->mac_state->n_recent_downlinks,
                   &network->mac_state->recent_downlinks, downlink);
    // A join-accept has no counter.
    assert_int_equal(tts_source_last_n_f_cnt_down(network), 0);
    downlink->payload->mac_payload =
        message_new(&world.arena, &tts__macstate__downlink_message__message__macpayload__descriptor);
    assert_int_equal(tts_source_last_n_f_cnt_down(network), 1);
    network->mac_state->n_recent_downlinks = 0;
    assert_int_equal(tts_source_last_n_f_cnt_down(network), 0);
    network->mac_state->last_downlink_at = message_new(&world.arena, &google__timestamp__descriptor);
    assert_int_equal(tts_source_last_n_f_cnt_down(network), 1);
    assert_int_equal(world_open(&world, false), 0);
    world_release(&world);
}

// A device that is silenced is answered at its new network, and says that it was.
static void test_silenced_before(void **state) {
    (void)state;
    struct tts_world world;
    world_init(&world, NULL);
    world_fill(&world, true);
    Tts__EndDevice *network = world.at[STACK_NETWORK];
    network->mac_settings = message_new(&world.arena, &tts__macsettings__descriptor);
    network->mac_settings->schedule_downlinks = message_new(&world.arena, &tts__bool_value__descriptor);
    assert_int_equal(world_open(&world, false), 0);
    assert_int_equal(world_run(&world, world_prepare, false), JOB_DONE);
    world.record.id = memory_strdup("my-device");
    assert_int_equal(world_run(&world, world_read, false), JOB_DONE);
    DEVICE_AUTO device;
    assert_int_equal(convert(&world, &device), 0);
    assert_null(device.end_device->mac_settings->schedule_downlinks);
    assert_true(has_note(&device, "mac_settings.schedule_downlinks"));
    world_release(&world);
}

static void test_names(void **state) {
    (void)state;
    struct tts_world world;
    world_begin(&world, NULL, true);
    world.naming.prefix = "fleet";
    DEVICE_AUTO prefixed;
    assert_int_equal(convert(&world, &prefixed), 0);
    assert_string_equal(device_id(&prefixed), "fleet-my-device");
    world.naming = (struct device_naming){.eui_as_id = true};
    DEVICE_AUTO named;
    assert_int_equal(convert(&world, &named), 0);
    assert_string_equal(device_id(&named), "eui-7071727374757677");
    world_release(&world);
}

static void test_owns(void **state) {
    (void)state;
    struct tts_world world;
    world_begin(&world, NULL, true);
    struct device_place place = {"stack.example:8884", "my-app", "my-device"};
    const struct source_driver *driver = world.source->driver;
    assert_true(driver->owns(world.source, &world.record, &place));
    place.application_id = "other";
    assert_false(driver->owns(world.source, &world.record, &place));
    place = (struct device_place){"stack.example:8885", "my-app", "my-device"};
    assert_false(driver->owns(world.source, &world.record, &place));
    place = (struct device_place){"stack.example:8884", "my-app", "my-device-2"};
    assert_false(driver->owns(world.source, &world.record, &place));
    place = (struct device_place){NULL, NULL, NULL};
    assert_false(driver->owns(world.source, &world.record, &place));
    world_release(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_bad_options),
        cmocka_unit_test(test_missing_address),
        cmocka_unit_test(test_delete_flag),
        cmocka_unit_test(test_rights),
        cmocka_unit_test(test_prepare_garbage),
        cmocka_unit_test(test_wrong_cluster),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_bad_pages),
        cmocka_unit_test(test_whole_device),
        cmocka_unit_test(test_no_such_device),
        cmocka_unit_test(test_half_registered),
        cmocka_unit_test(test_other_cluster),
        cmocka_unit_test(test_exported_before),
        cmocka_unit_test(test_other_euis),
        cmocka_unit_test(test_hostile_servers),
        cmocka_unit_test(test_bad_record),
        cmocka_unit_test(test_no_session),
        cmocka_unit_test(test_session_of_a_new_join),
        cmocka_unit_test(test_first_downlink),
        cmocka_unit_test(test_silenced_before),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_owns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
