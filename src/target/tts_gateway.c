// SPDX-License-Identifier: Apache-2.0
// Gateways at the Identity Server of the target.
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/memory.h"
#include "device/naming.h"
#include "target/tts_p.h"

static const char key_name[] = "ttn-lw-migrate";

// ---- small parts

static Tts__GatewayIdentifiers *only_id(struct arena *arena, const Tts__Gateway *gateway) {
    Tts__GatewayIdentifiers *ids = message_new(arena, &tts__gateway_identifiers__descriptor);
    ids->gateway_id = gateway->ids->gateway_id;
    return ids;
}

static struct call *get_call(struct tts *self, struct job *job, const Tts__Gateway *gateway,
                             const char *members) {
    Tts__GetGatewayRequest request = TTS__GET_GATEWAY_REQUEST__INIT;
    request.gateway_ids = only_id(job->arena, gateway);
    request.field_mask = stack_mask(job->arena, members);
    return tts_call(self, job, TTS_IDENTITY, "GatewayRegistry", "Get", &request.base);
}

static Tts__Gateway *got(struct tts *self, struct job *job, const Tts__Gateway *wanted, struct error *error) {
    const struct buffer *body = &job->replies[0].body;
    Tts__Gateway *gateway =
        message_unpack(&tts__gateway__descriptor, body->data, body->size, job->arena, error);
    if (gateway == NULL) return NULL;
    if (gateway->ids != NULL && strcmp(gateway->ids->gateway_id, wanted->ids->gateway_id) == 0)
        return gateway;
    error_set(error, ERROR_PROTOCOL, "%s: asked for gateway %s, it sent another one",
              self->servers[TTS_IDENTITY].name, wanted->ids->gateway_id);
    return NULL;
}

static enum job_step failed(struct tts *self, struct job *job, struct error *error) {
    tts_failed(self, &job->calls[0], &job->replies[0], error);
    if (job->replies[0].outcome == REPLY_ANSWERED && job->replies[0].grpc_status == GRPC_PERMISSION_DENIED) {
        error_hint(error,
                   "--to.tts.app-api-key has to be the key of a user or an organization, with all rights to "
                   "its gateways");
    }
    return JOB_FAILED;
}

static bool is_ok(const struct job *job) {
    return reply_ok(&job->replies[0], CALL_GRPC);
}

// ---- whose they will be

static bool may_create(const Tts__APIKey *key, bool organization) {
    for (size_t i = 0; key != NULL && i < key->n_rights; i++) {
        switch (key->rights[i]) {
            case TTS__RIGHT__RIGHT_ALL:
                return true;
            case TTS__RIGHT__RIGHT_USER_ALL:
            case TTS__RIGHT__RIGHT_USER_GATEWAYS_CREATE:
                if (!organization) return true;
                break;
            case TTS__RIGHT__RIGHT_ORGANIZATION_ALL:
            case TTS__RIGHT__RIGHT_ORGANIZATION_GATEWAYS_CREATE:
                if (organization) return true;
                break;
            default:
                break;
        }
    }
    return false;
}

static void set_owner(struct tts *self, bool organization, const char *id) {
    free(self->owner);
    self->owner = memory_strdup(id);
    self->owner_is_organization = organization;
}

static int owner_of_key(struct tts *self, const Tts__AuthInfoResponse *auth, struct error *error) {
    bool is_key = auth->access_method_case == TTS__AUTH_INFO_RESPONSE__ACCESS_METHOD_API_KEY;
    const Tts__EntityIdentifiers *entity = is_key ? auth->api_key->entity_ids : NULL;
    bool user = entity != NULL && entity->ids_case == TTS__ENTITY_IDENTIFIERS__IDS_USER_IDS;
    bool organization = entity != NULL && entity->ids_case == TTS__ENTITY_IDENTIFIERS__IDS_ORGANIZATION_IDS;
    if (!user && !organization) {
        error_set(error, ERROR_DENIED,
                  "the target's API key is not that of a user or an organization: only "
                  "these can have gateways");
        error_hint(error, "give --to.tts.app-api-key the key of a user or an organization");
        return -ERROR_DENIED;
    }
    if (!may_create(auth->api_key->api_key, organization)) {
        error_set(error, ERROR_DENIED, "the target's API key lacks RIGHT_%s_GATEWAYS_CREATE",
                  organization ? "ORGANIZATION" : "USER");
        error_hint(error, "give --to.tts.app-api-key a key that has it");
        return -ERROR_DENIED;
    }
    set_owner(self, organization,
              organization ? entity->organization_ids->organization_id : entity->user_ids->user_id);
    return 0;
}

enum job_step tts_prepare_gateways(struct target *target, struct job *job, struct error *error) {
    struct tts *self = tts_of(target);
    if (job->stage == 0) {
        Google__Empty empty = GOOGLE__EMPTY__INIT;
        tts_call(self, job, TTS_IDENTITY, "EntityAccess", "AuthInfo", &empty.base);
        job->stage = 1;
        return JOB_CALLS;
    }
    if (!is_ok(job)) return failed(self, job, error);
    const struct buffer *body = &job->replies[0].body;
    const Tts__AuthInfoResponse *auth =
        message_unpack(&tts__auth_info_response__descriptor, body->data, body->size, job->arena, error);
    if (auth == NULL || owner_of_key(self, auth, error) != 0) return JOB_FAILED;
    static const char organization[] = "organization:";
    const char *named = option_string(self->options, "collaborator");
    if (named == NULL) return JOB_DONE;
    bool is_organization = strncmp(named, organization, sizeof organization - 1) == 0;
    set_owner(self, is_organization, is_organization ? named + sizeof organization - 1 : named);
    return JOB_DONE;
}

void tts_home(const struct target *target, struct gateway_home *ret_home) {
    const struct tts *self = (const struct tts *)target;
    *ret_home = (struct gateway_home){
        .identity_server = self->servers[TTS_IDENTITY].address.host_port,
        .cups_uri = self->cups_uri,
        .gateway_server_address = self->gateway_server_address,
    };
}

int tts_gateways_open(struct tts *self, struct error *error) {
    const char *cups = option_string(self->options, "cups-uri");
    const char *server = option_string(self->options, "gateway-server-address");
    const struct address *address = &self->servers[TTS_IDENTITY].address;
    const char *network = self->servers[TTS_NETWORK].address.host_port;
    if (cups != NULL && strncmp(cups, "https://", strlen("https://")) != 0) {
        return error_set(error, ERROR_USAGE, "--to.tts.cups-uri %s: has to begin with https://", cups);
    }
    size_t host = (size_t)(strrchr(address->host_port, ':') - address->host_port);
    self->cups_uri =
        cups != NULL ? memory_strdup(cups) : memory_printf("https://%.*s:443", (int)host, address->host_port);
    self->gateway_server_address = server != NULL
                                       ? memory_strdup(server)
                                       : memory_strndup(network, (size_t)(strrchr(network, ':') - network));
    return 0;
}

void tts_gateways_release(struct tts *self) {
    free(self->owner);
    free(self->cups_uri);
    free(self->gateway_server_address);
}

// ---- looking

static void add_member(void *context, const struct message_difference *difference) {
    struct buffer *names = context;
    buffer_printf(names, "%s%s", names->size > 0 ? ", " : "", difference->path);
}

// What differs between what the gateway is to be and what is there; NULL if nothing does. An address that is not laid down
// is the target's own.
static const char *differences(const Tts__Gateway *wanted, const Tts__Gateway *there, struct arena *arena) {
    BUFFER_AUTO names;
    buffer_init(&names, BUFFER_UNLIMITED);
    Tts__Gateway *left = gateway_carried(there, arena);
    Tts__Gateway *right = gateway_carried(wanted, arena);
    left->gateway_server_address = right->gateway_server_address = arena_strdup(arena, "");
    message_diff(&left->base, &right->base, add_member, &names);
    return names.size == 0 ? NULL : arena_strdup(arena, buffer_string(&names));
}

static bool same_eui(const Tts__Gateway *a, const Tts__Gateway *b) {
    const ProtobufCBinaryData *x = &a->ids->eui, *y = &b->ids->eui;
    return x->len == y->len && (x->len == 0 || memcmp(x->data, y->data, x->len) == 0);
}

static enum job_step looked(struct job *job, const Tts__Gateway *gateway, const Tts__Gateway *there,
                            struct target_look *ret_look) {
    if (!same_eui(gateway, there)) {
        ret_look->found = TARGET_TAKEN;
        ret_look->what = "a gateway of that ID with another EUI";
        return JOB_DONE;
    }
    ret_look->what = differences(gateway, there, job->arena);
    ret_look->found = ret_look->what == NULL ? TARGET_SAME : TARGET_OTHER;
    BUFFER_AUTO bytes;
    buffer_init(&bytes, BUFFER_UNLIMITED);
    message_pack(&there->base, &bytes);
    ret_look->before = arena_dup(job->arena, bytes.data, bytes.size);
    ret_look->before_size = bytes.size;
    return JOB_DONE;
}

enum job_step tts_look_gateway(struct target *target, struct job *job, const Tts__Gateway *gateway,
                               struct target_look *ret_look, struct error *error) {
    struct tts *self = tts_of(target);
    *ret_look = (struct target_look){.found = TARGET_FREE};
    if (job->stage == 0) {
        get_call(self, job, gateway, gateway_members);
        job->stage = 1;
        return JOB_CALLS;
    }
    const struct reply *reply = &job->replies[0];
    if (stack_is_absent(reply)) return JOB_DONE;
    if (reply->outcome == REPLY_ANSWERED && reply->grpc_status == GRPC_PERMISSION_DENIED) {
        ret_look->found = TARGET_TAKEN;
        ret_look->what = "a gateway of that ID which the key has no rights to";
        return JOB_DONE;
    }
    if (!is_ok(job)) return failed(self, job, error);
    const Tts__Gateway *there = got(self, job, gateway, error);
    return there == NULL ? JOB_FAILED : looked(job, gateway, there, ret_look);
}

// ---- creating

enum create_stage { CREATE_BEGIN, CREATE_ASKED, CREATE_LOOKED };

static enum job_step create_call(struct tts *self, struct job *job, const Tts__Gateway *gateway) {
    Tts__CreateGatewayRequest request = TTS__CREATE_GATEWAY_REQUEST__INIT;
    Tts__OrganizationOrUserIdentifiers owner = TTS__ORGANIZATION_OR_USER_IDENTIFIERS__INIT;
    Tts__OrganizationIdentifiers organization = TTS__ORGANIZATION_IDENTIFIERS__INIT;
    Tts__UserIdentifiers user = TTS__USER_IDENTIFIERS__INIT;
    Tts__Gateway *made = message_copy(&gateway->base, job->arena);
    made->gateway_server_address = self->gateway_server_address;
    organization.organization_id = user.user_id = self->owner;
    if (self->owner_is_organization) {
        owner.ids_case = TTS__ORGANIZATION_OR_USER_IDENTIFIERS__IDS_ORGANIZATION_IDS;
        owner.organization_ids = &organization;
    } else {
        owner.ids_case = TTS__ORGANIZATION_OR_USER_IDENTIFIERS__IDS_USER_IDS;
        owner.user_ids = &user;
    }
    request.gateway = made;
    request.collaborator = &owner;
    tts_call(self, job, TTS_IDENTITY, "GatewayRegistry", "Create", &request.base)->changes = true;
    job->stage = CREATE_ASKED;
    return JOB_CALLS;
}

// After an answer that was lost, or in an earlier process: it may have been made.
static enum job_step created(struct tts *self, struct job *job, const Tts__Gateway *gateway,
                             bool *ret_refused, struct error *error) {
    const struct reply *reply = &job->replies[0];
    unsigned *tries = job->state;
    if (is_ok(job)) return JOB_DONE;
    if (tts_is_passing(reply) && ++*tries < TTS_TRIES) {
        job->again = true;
        return create_call(self, job, gateway);
    }
    bool there = reply->outcome == REPLY_ANSWERED && reply->grpc_status == GRPC_ALREADY_EXISTS;
    if (there && job->again) {
        get_call(self, job, gateway, gateway_members);
        job->stage = CREATE_LOOKED;
        return JOB_CALLS;
    }
    *ret_refused = reply->outcome == REPLY_ANSWERED && !tts_is_passing(reply);
    failed(self, job, error);
    if (there) {
        error_hint(error,
                   "an ID stays taken after a gateway was deleted, until the target's operator purges it; "
                   "an EUI has to be given up by its gateway first");
    }
    return JOB_FAILED;
}

enum job_step tts_create_gateway(struct target *target, struct job *job, const Tts__Gateway *gateway,
                                 bool *ret_refused, struct error *error) {
    struct tts *self = tts_of(target);
    if (job->stage == CREATE_BEGIN) {
        job->state = arena_new(job->arena, unsigned);
        return create_call(self, job, gateway);
    }
    if (job->stage == CREATE_ASKED) return created(self, job, gateway, ret_refused, error);
    // The key may see it, and it is what was to be made: so it was this run.
    if (!is_ok(job)) {
        *ret_refused = job->replies[0].outcome == REPLY_ANSWERED;
        return failed(self, job, error);
    }
    const Tts__Gateway *there = got(self, job, gateway, error);
    if (there == NULL) return JOB_FAILED;
    if (same_eui(gateway, there) && differences(gateway, there, job->arena) == NULL) return JOB_DONE;
    *ret_refused = true;
    error_set(error, ERROR_DEVICE, "the target has another gateway of that ID");
    return JOB_FAILED;
}

static void update_call(struct tts *self, struct job *job, const Tts__Gateway *gateway, const char *members) {
    Tts__UpdateGatewayRequest request = TTS__UPDATE_GATEWAY_REQUEST__INIT;
    Tts__Gateway *changed = message_copy(&gateway->base, job->arena);
    changed->ids = only_id(job->arena, gateway);
    request.gateway = changed;
    request.field_mask = stack_mask(job->arena, members);
    tts_call(self, job, TTS_IDENTITY, "GatewayRegistry", "Update", &request.base)->changes = true;
}

// The same Update twice does no harm.
static enum job_step changed(struct tts *self, struct job *job, struct error *error) {
    return is_ok(job) ? JOB_DONE : failed(self, job, error);
}

// All that is carried over, but for the address, which is the target's own, where none is laid down.
static const char *update_members(const Tts__Gateway *gateway, struct arena *arena) {
    static const char address[] = "gateway_server_address ";
    if (gateway->gateway_server_address[0] != '\0') return gateway_members;
    const char *place = strstr(gateway_members, address);
    return arena_printf(arena, "%.*s%s", (int)(place - gateway_members), gateway_members,
                        place + sizeof address - 1);
}

enum job_step tts_update_gateway(struct target *target, struct job *job, const Tts__Gateway *gateway,
                                 struct error *error) {
    struct tts *self = tts_of(target);
    if (job->stage == 1) return changed(self, job, error);
    update_call(self, job, gateway, update_members(gateway, job->arena));
    job->stage = 1;
    return JOB_CALLS;
}

// ---- keys

static void key_call(struct tts *self, struct job *job, const Tts__Gateway *gateway, Tts__Right *rights,
                     size_t count) {
    Tts__CreateGatewayAPIKeyRequest request = TTS__CREATE_GATEWAY_APIKEY_REQUEST__INIT;
    request.gateway_ids = only_id(job->arena, gateway);
    request.name = arena_strdup(job->arena, key_name);
    request.rights = rights;
    request.n_rights = count;
    tts_call(self, job, TTS_IDENTITY, "GatewayAccess", "CreateAPIKey", &request.base)->changes = true;
}

static const char *key_of(struct tts *self, struct job *job, struct error *error) {
    const struct buffer *body = &job->replies[0].body;
    const Tts__APIKey *key =
        message_unpack(&tts__apikey__descriptor, body->data, body->size, job->arena, error);
    if (key == NULL) return NULL;
    if (key->key[0] != '\0') return key->key;
    error_set(error, ERROR_PROTOCOL, "%s: made an API key without telling it",
              self->servers[TTS_IDENTITY].name);
    return NULL;
}

enum secure_stage { SECURE_BEGIN, SECURE_LOOKED, SECURE_KEY, SECURE_SET };

enum job_step tts_secure_gateway(struct target *target, struct job *job, const Tts__Gateway *gateway,
                                 struct error *error) {
    struct tts *self = tts_of(target);
    Tts__Right rights[] = {TTS__RIGHT__RIGHT_GATEWAY_INFO, TTS__RIGHT__RIGHT_GATEWAY_LINK};
    if (job->stage != SECURE_BEGIN && !is_ok(job)) return failed(self, job, error);
    if (job->stage == SECURE_BEGIN) {
        get_call(self, job, gateway, "lbs_lns_secret");
    } else if (job->stage == SECURE_LOOKED) {
        const Tts__Gateway *there = got(self, job, gateway, error);
        if (there == NULL) return JOB_FAILED;
        if (there->lbs_lns_secret != NULL && there->lbs_lns_secret->value.len > 0) return JOB_DONE;
        key_call(self, job, gateway, rights, sizeof rights / sizeof *rights);
    } else if (job->stage == SECURE_KEY) {
        const char *key = key_of(self, job, error);
        if (key == NULL) return JOB_FAILED;
        Tts__Secret secret = TTS__SECRET__INIT;
        secret.value = message_bytes(job->arena, key, strlen(key));
        Tts__Gateway with_secret = TTS__GATEWAY__INIT;
        with_secret.ids = gateway->ids;
        with_secret.lbs_lns_secret = &secret;
        update_call(self, job, &with_secret, "lbs_lns_secret");
    } else {
        return JOB_DONE;
    }
    job->stage++;
    return JOB_CALLS;
}

enum job_step tts_key_gateway(struct target *target, struct job *job, const Tts__Gateway *gateway,
                              char **ret_key, struct error *error) {
    struct tts *self = tts_of(target);
    Tts__Right rights[] = {TTS__RIGHT__RIGHT_GATEWAY_INFO, TTS__RIGHT__RIGHT_GATEWAY_SETTINGS_BASIC,
                           TTS__RIGHT__RIGHT_GATEWAY_READ_SECRETS};
    if (job->stage == 0) {
        key_call(self, job, gateway, rights, sizeof rights / sizeof *rights);
        job->stage = 1;
        return JOB_CALLS;
    }
    if (!is_ok(job)) return failed(self, job, error);
    const char *key = key_of(self, job, error);
    if (key == NULL) return JOB_FAILED;
    *ret_key = memory_strdup(key);
    return JOB_DONE;
}

enum job_step tts_remove_gateway(struct target *target, struct job *job, const Tts__Gateway *gateway,
                                 struct error *error) {
    struct tts *self = tts_of(target);
    if (job->stage == 0) {
        tts_call(self, job, TTS_IDENTITY, "GatewayRegistry", "Delete", &only_id(job->arena, gateway)->base)
            ->changes = true;
        job->stage = 1;
        return JOB_CALLS;
    }
    // What is not there any more needs no rights, and the server may not tell one from the other.
    return is_ok(job) || stack_is_absent(&job->replies[0]) ? JOB_DONE : failed(self, job, error);
}
