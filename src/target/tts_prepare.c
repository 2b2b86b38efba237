// SPDX-License-Identifier: Apache-2.0
// What is to be known of the target before its first device: the rights of the key, the application and its servers, the
// addresses and frequency plans of the network.
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/message.h"
#include "device/naming.h"
#include "target/tts_p.h"

enum {
    PREFIX_SIZE = 5,      // bytes: an address and its length in bits
    PREFIXES_MAX = 4096,  // that are kept
    PLANS_MAX = 4096,
};

enum prepare_stage { PREPARE_BEGIN, PREPARE_ASKED, PREPARE_CREATED };

// The calls of PREPARE_BEGIN, in their order.
enum { ASK_AUTH, ASK_RIGHTS, ASK_APPLICATION, ASK_PREFIXES, ASK_NET_ID, ASK_PLANS };

struct right_name {
    Tts__Right right;
    const char *name;
};

static const struct right_name needed_rights[] = {
    {TTS__RIGHT__RIGHT_APPLICATION_INFO, "RIGHT_APPLICATION_INFO"},
    {TTS__RIGHT__RIGHT_APPLICATION_DEVICES_READ, "RIGHT_APPLICATION_DEVICES_READ"},
    {TTS__RIGHT__RIGHT_APPLICATION_DEVICES_WRITE, "RIGHT_APPLICATION_DEVICES_WRITE"},
    {TTS__RIGHT__RIGHT_APPLICATION_DEVICES_READ_KEYS, "RIGHT_APPLICATION_DEVICES_READ_KEYS"},
    {TTS__RIGHT__RIGHT_APPLICATION_DEVICES_WRITE_KEYS, "RIGHT_APPLICATION_DEVICES_WRITE_KEYS"},
};

// ---- what was learned

static void set_host(struct tts *self, enum tts_place place, const char *host) {
    free(self->hosts[place]);
    self->hosts[place] = host[0] == '\0' ? NULL : memory_strdup(host);
}

static void forget_network(struct tts *self) {
    free(memory_take(self->prefixes));
    for (size_t i = 0; i < self->frequency_plan_count; i++) free(self->frequency_plans[i]);
    free(memory_take(self->frequency_plans));
    self->prefix_count = self->frequency_plan_count = 0;
    self->any_dev_addr = false;
}

void tts_forget_application(struct tts *self) {
    free(memory_take(self->application));
    for (int place = 0; place < TTS_PLACES; place++) free(memory_take(self->hosts[place]));
    forget_network(self);
    self->planned = false;
}

// ---- questions

static void ask_application(struct tts *self, struct job *job, Tts__ApplicationIdentifiers *ids) {
    char *paths[] = {(char[]){"network_server_address"}, (char[]){"application_server_address"},
                     (char[]){"join_server_address"}};
    Google__FieldMask mask = GOOGLE__FIELD_MASK__INIT;
    mask.paths = paths;
    mask.n_paths = sizeof paths / sizeof *paths;
    Tts__GetApplicationRequest request = TTS__GET_APPLICATION_REQUEST__INIT;
    request.application_ids = ids;
    request.field_mask = &mask;
    tts_call(self, job, TTS_IDENTITY, "ApplicationRegistry", "Get", &request.base);
}

static enum job_step ask(struct tts *self, struct job *job) {
    Google__Empty empty = GOOGLE__EMPTY__INIT;
    Tts__ApplicationIdentifiers ids = TTS__APPLICATION_IDENTIFIERS__INIT;
    Tts__ListFrequencyPlansRequest plans = TTS__LIST_FREQUENCY_PLANS_REQUEST__INIT;
    ids.application_id = self->application;
    tts_call(self, job, TTS_IDENTITY, "EntityAccess", "AuthInfo", &empty.base);
    tts_call(self, job, TTS_IDENTITY, "ApplicationAccess", "ListRights", &ids.base);
    ask_application(self, job, &ids);
    tts_call(self, job, TTS_NETWORK, "Ns", "GetDeviceAddressPrefixes", &empty.base);
    tts_call(self, job, TTS_NETWORK, "Ns", "GetNetID", &empty.base);
    tts_call(self, job, TTS_NETWORK, "Configuration", "ListFrequencyPlans", &plans.base);
    job->stage = PREPARE_ASKED;
    return JOB_CALLS;
}

// The message of an answer that is OK; NULL if it is not, or is malformed.
static void *answer(struct job *job, size_t index, const ProtobufCMessageDescriptor *descriptor) {
    const struct reply *reply = &job->replies[index];
    if (!reply_ok(reply, CALL_GRPC)) return NULL;
    return message_unpack(descriptor, reply->body.data, reply->body.size, job->arena, NULL);
}

// ---- answers

static uint32_t address_of(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

// The addresses of a NetID (LoRaWAN Backend Interfaces 1.0, 2): its type says how many bits of the network's number they
// begin with, behind that many ones and a zero.
static struct tts_prefix prefix_of_net_id(const uint8_t net_id[3]) {
    static const unsigned number_bits[8] = {6, 6, 9, 11, 12, 13, 15, 17};
    uint32_t id = (uint32_t)net_id[0] << 16 | (uint32_t)net_id[1] << 8 | net_id[2];
    unsigned type = id >> 21, bits = number_bits[type];
    uint32_t mark = (UINT32_C(1) << (type + 1)) - 2;
    uint32_t number = id & ((UINT32_C(1) << bits) - 1);
    unsigned length = type + 1 + bits;
    return (struct tts_prefix){.address = (mark << bits | number) << (32 - length), .length = length};
}

// The numbers 0 and 1 of type 0 are for experiments: everybody has them, and no other network routes them.
static bool is_anybodys(const struct tts_prefix *prefix) {
    return prefix->length >= 6 && prefix->address >> 26 == 0;
}

static void read_prefixes(struct tts *self, struct job *job) {
    const Tts__GetDeviceAdressPrefixesResponse *known =
        answer(job, ASK_PREFIXES, &tts__get_device_adress_prefixes_response__descriptor);
    const Tts__GetNetIDResponse *net_id = answer(job, ASK_NET_ID, &tts__get_net_idresponse__descriptor);
    size_t count =
        known == NULL || known->n_dev_addr_prefixes > PREFIXES_MAX ? 0 : known->n_dev_addr_prefixes;
    self->prefixes = memory_new_array(struct tts_prefix, count + 1);
    for (size_t i = 0; i < count; i++) {
        ProtobufCBinaryData bytes = known->dev_addr_prefixes[i];
        if (bytes.len != PREFIX_SIZE || bytes.data[4] > 32) continue;
        self->prefixes[self->prefix_count++] =
            (struct tts_prefix){.address = address_of(bytes.data), .length = bytes.data[4]};
    }
    if (self->prefix_count == 0 && net_id != NULL && net_id->net_id.len == 3) {
        self->prefixes[self->prefix_count++] = prefix_of_net_id(net_id->net_id.data);
    }
    for (size_t i = 0; i < self->prefix_count; i++) {
        self->any_dev_addr = self->any_dev_addr || is_anybodys(&self->prefixes[i]);
    }
}

static void read_plans(struct tts *self, struct job *job) {
    const Tts__ListFrequencyPlansResponse *list =
        answer(job, ASK_PLANS, &tts__list_frequency_plans_response__descriptor);
    if (list == NULL || list->n_frequency_plans == 0 || list->n_frequency_plans > PLANS_MAX) return;
    self->frequency_plans = memory_new_array(char *, list->n_frequency_plans);
    self->frequency_plan_count = list->n_frequency_plans;
    for (size_t i = 0; i < list->n_frequency_plans; i++) {
        self->frequency_plans[i] = memory_strdup(list->frequency_plans[i]->id);
    }
}

static bool has_right(const Tts__Rights *rights, Tts__Right right) {
    for (size_t i = 0; i < rights->n_rights; i++) {
        Tts__Right given = rights->rights[i];
        if (given == right || given == TTS__RIGHT__RIGHT_ALL || given == TTS__RIGHT__RIGHT_APPLICATION_ALL) {
            return true;
        }
    }
    return false;
}

static int check_rights(const struct tts *self, struct job *job, struct error *error) {
    const Tts__Rights *rights = answer(job, ASK_RIGHTS, &tts__rights__descriptor);
    if (rights == NULL) return 0;  // the application's own answer decides
    BUFFER_AUTO missing;
    buffer_init(&missing, BUFFER_UNLIMITED);
    for (size_t i = 0; i < sizeof needed_rights / sizeof *needed_rights; i++) {
        if (has_right(rights, needed_rights[i].right)) continue;
        buffer_printf(&missing, "%s%s", missing.size > 0 ? ", " : "", needed_rights[i].name);
    }
    if (missing.size == 0) return 0;
    error_set(error, ERROR_DENIED, "the API key lacks rights to application %s of the target: %s",
              self->application, buffer_string(&missing));
    error_hint(error,
               "give --to.tts.app-api-key a key that has them: the target's Console makes one, at API keys "
               "of the application");
    return -ERROR_DENIED;
}

// The host of a server as we reach it; NULL if The Things Stack has no form for it.
static char *own_host(const struct tts *self, enum tts_place place) {
    const char *text = self->servers[place].address.host_port;
    return text[0] == '[' ? NULL : memory_strndup(text, strcspn(text, ":"));
}

static void fill_hosts(struct tts *self) {
    for (int place = 0; place < TTS_PLACES; place++) {
        if (self->hosts[place] == NULL) self->hosts[place] = own_host(self, (enum tts_place)place);
    }
}

// ---- an application that is missing

static Tts__OrganizationOrUserIdentifiers *collaborator_of(struct job *job) {
    const Tts__AuthInfoResponse *auth = answer(job, ASK_AUTH, &tts__auth_info_response__descriptor);
    if (auth == NULL || auth->access_method_case != TTS__AUTH_INFO_RESPONSE__ACCESS_METHOD_API_KEY)
        return NULL;
    const Tts__EntityIdentifiers *entity = auth->api_key->entity_ids;
    Tts__OrganizationOrUserIdentifiers *collaborator =
        message_new(job->arena, &tts__organization_or_user_identifiers__descriptor);
    if (entity != NULL && entity->ids_case == TTS__ENTITY_IDENTIFIERS__IDS_USER_IDS) {
        collaborator->ids_case = TTS__ORGANIZATION_OR_USER_IDENTIFIERS__IDS_USER_IDS;
        collaborator->user_ids = entity->user_ids;
        return collaborator;
    }
    if (entity != NULL && entity->ids_case == TTS__ENTITY_IDENTIFIERS__IDS_ORGANIZATION_IDS) {
        collaborator->ids_case = TTS__ORGANIZATION_OR_USER_IDENTIFIERS__IDS_ORGANIZATION_IDS;
        collaborator->organization_ids = entity->organization_ids;
        return collaborator;
    }
    return NULL;
}

static char empty_text[] = "";

static char *text_or_empty(char *text) {
    return text == NULL ? empty_text : text;
}

static enum job_step create_application(struct tts *self, struct job *job, struct error *error) {
    Tts__OrganizationOrUserIdentifiers *collaborator = collaborator_of(job);
    if (!self->create_application || collaborator == NULL) {
        error_set(
            error, ERROR_NOT_FOUND, "the target has no application %s%s", self->application,
            self->create_application ? ", and only the key of a user or an organization can make one" : "");
        error_hint(error, "create it there, name another one with --to.tts.app-id%s",
                   self->create_application
                       ? ""
                       : ", or let it be made with --create-application and the key of a user");
        return JOB_FAILED;
    }
    fill_hosts(self);
    Tts__ApplicationIdentifiers ids = TTS__APPLICATION_IDENTIFIERS__INIT;
    Tts__Application application = TTS__APPLICATION__INIT;
    Tts__CreateApplicationRequest request = TTS__CREATE_APPLICATION_REQUEST__INIT;
    ids.application_id = application.name = self->application;
    application.ids = &ids;
    application.network_server_address = text_or_empty(self->hosts[TTS_NETWORK]);
    application.application_server_address = text_or_empty(self->hosts[TTS_APPLICATION]);
    application.join_server_address = text_or_empty(self->hosts[TTS_JOIN]);
    request.application = &application;
    request.collaborator = collaborator;
    tts_call(self, job, TTS_IDENTITY, "ApplicationRegistry", "Create", &request.base)->changes = true;
    job->stage = PREPARE_CREATED;
    return JOB_CALLS;
}

static enum job_step created(struct tts *self, struct job *job, struct error *error) {
    const struct reply *reply = &job->replies[0];
    if (reply->outcome == REPLY_DRY) {
        self->planned = true;
        return JOB_DONE;
    }
    if (!reply_ok(reply, CALL_GRPC) && !tts_is_passing(reply)) {
        tts_failed(self, &job->calls[0], reply, error);
        error_wrap(error, ERROR_NONE, "application %s cannot be made at the target", self->application);
        return JOB_FAILED;
    }
    // Whatever became of a lost answer shows when the application is asked for.
    *(bool *)job->state = true;
    return ask(self, job);
}

// ---- the job

// Answers without which nothing works. The key may be without the rights for the others, or the server too old.
static enum job_step check_key(struct tts *self, struct job *job, struct error *error) {
    const struct reply *reply = &job->replies[ASK_AUTH];
    if (reply_ok(reply, CALL_GRPC)) return JOB_DONE;
    bool refused = reply->outcome == REPLY_ANSWERED &&
                   (reply->grpc_status == GRPC_UNIMPLEMENTED || reply->grpc_status == GRPC_PERMISSION_DENIED);
    return refused ? JOB_DONE : tts_failed(self, &job->calls[ASK_AUTH], reply, error);
}

static enum job_step asked(struct tts *self, struct job *job, struct error *error) {
    const struct reply *reply = &job->replies[ASK_APPLICATION];
    if (check_key(self, job, error) != JOB_DONE || check_rights(self, job, error) != 0) return JOB_FAILED;
    for (size_t i = ASK_PREFIXES; i <= ASK_PLANS; i++) {
        // A server that cannot be reached at all is found out here, not in the middle of a device.
        if (job->replies[i].outcome == REPLY_ANSWERED) continue;
        return tts_failed(self, &job->calls[i], &job->replies[i], error);
    }
    forget_network(self);
    read_prefixes(self, job);
    read_plans(self, job);
    if (stack_is_absent(reply) && !*(const bool *)job->state) return create_application(self, job, error);
    if (!reply_ok(reply, CALL_GRPC)) return tts_failed(self, &job->calls[ASK_APPLICATION], reply, error);
    const Tts__Application *application =
        message_unpack(&tts__application__descriptor, reply->body.data, reply->body.size, job->arena, error);
    if (application == NULL) {
        error_wrap(error, ERROR_NONE, "%s: asked for application %s",
                   job->calls[ASK_APPLICATION].server->name, self->application);
        return JOB_FAILED;
    }
    set_host(self, TTS_NETWORK, application->network_server_address);
    set_host(self, TTS_APPLICATION, application->application_server_address);
    set_host(self, TTS_JOIN, application->join_server_address);
    fill_hosts(self);
    return JOB_DONE;
}

static int choose_application(struct tts *self, const char *application, struct error *error) {
    const char *chosen = option_string(self->options, "app-id");
    tts_forget_application(self);
    self->application = memory_strdup(chosen != NULL ? chosen : application);
    for (char *c = self->application; chosen == NULL && *c != '\0'; c++) {
        if (*c == '_') *c = '-';
    }
    if (device_id_valid(self->application)) return 0;
    error_set(error, ERROR_USAGE, "\"%s\" cannot be the ID of an application of The Things Stack",
              self->application);
    error_hint(error, "name the application there with --to.tts.app-id");
    return -ERROR_USAGE;
}

enum job_step tts_prepare(struct target *target, struct job *job, const char *application,
                          struct error *error) {
    struct tts *self = tts_of(target);
    if (job->stage == PREPARE_ASKED) return asked(self, job, error);
    if (job->stage == PREPARE_CREATED) return created(self, job, error);
    if (choose_application(self, application, error) != 0) return JOB_FAILED;
    job->state = arena_new(job->arena, bool);  // whether it was made
    return ask(self, job);
}
