// SPDX-License-Identifier: Apache-2.0
// ttn-lw-sandbox: plays the networks of a migration on this machine.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "server/certificate.h"
#include "server/files.h"
#include "server/grpc_front.h"
#include "server/http_front.h"
#include "server/options.h"
#include "server/stage.h"

enum { EXIT_USAGE = 2, ADVANCE_EVERY_MS = 100, TTS_SERVERS = 4 };

// The servers of The Things Stack: endpoints, and what the program's variables call them.
static const struct {
    enum world_endpoint endpoint;
    const char *name;
} tts_servers[TTS_SERVERS] = {{WORLD_TTS_IS, "IDENTITY_SERVER"},
                              {WORLD_TTS_NS, "NETWORK_SERVER"},
                              {WORLD_TTS_AS, "APPLICATION_SERVER"},
                              {WORLD_TTS_JS, "JOIN_SERVER"}};

struct sandbox {
    struct options options;
    struct stage stage;
    struct certificate certificate;
    struct grpc_front *grpc;
    struct http_front *http;
    struct http_front *https;  // NULL if the library has no TLS
    unsigned discovery_port, plain_discovery_port, handler_port, plain_handler_port, http_port, https_port;
    unsigned chirpstack_port, chirpstack_tls_port;
    unsigned tts_ports[TTS_SERVERS], plain_tts_ports[TTS_SERVERS];
    char *directory;  // owned; temporary
    char *ca_path;    // owned; in it
};

// An IPv6 address needs brackets before a port; what listens at loopback is called localhost.
static char *host_port(const struct options *options, unsigned port) {
    if (strcmp(options->listen, "127.0.0.1") == 0) return memory_printf("localhost:%u", port);
    return memory_printf(strchr(options->listen, ':') != NULL ? "[%s]:%u" : "%s:%u", options->listen, port);
}

static int make_world(struct sandbox *sandbox, struct error *error) {
    const struct options *options = &sandbox->options;
    struct world_setup setup = options->world;
    struct world *world = world_new(&setup);
    stage_init(&sandbox->stage, world, options->latency);
    int result = 0;
    bool take_application = setup.app_id == NULL;
    for (size_t i = 0; result == 0 && i < options->record_count; i++) {
        result = files_load_records(world, options->records[i], take_application && i == 0, error);
    }
    if (result == 0 && options->state != NULL) result = files_load_state(world, options->state, error);
    for (size_t i = 0; result == 0 && i < options->fault_count; i++) {
        result = world_add_fault(world, options->faults[i], error);
    }
    return result;
}

static int write_ca(struct sandbox *sandbox, struct error *error) {
    const char *parent = getenv("TMPDIR");
    sandbox->directory =
        memory_printf("%s/ttn-lw-sandbox-XXXXXX", parent != NULL && *parent != '\0' ? parent : "/tmp");
    if (mkdtemp(sandbox->directory) == NULL) {
        free(memory_take(sandbox->directory));
        return error_set(error, ERROR_SYSTEM, "cannot make a temporary folder: %s", strerror(errno));
    }
    sandbox->ca_path = memory_printf("%s/ca.pem", sandbox->directory);
    const char *pem = sandbox->certificate.certificate_pem;
    return files_write(sandbox->ca_path, pem, strlen(pem), error);
}

static int open_tts(struct sandbox *sandbox, struct error *error) {
    const struct options *options = &sandbox->options;
    int result = 0;
    for (unsigned i = 0; result == 0 && i < TTS_SERVERS; i++) {
        unsigned port = options->tts_port != 0 ? options->tts_port + i : 0;
        unsigned plain_port = options->plain_tts_port != 0 ? options->plain_tts_port + i : 0;
        result = grpc_front_listen(sandbox->grpc, tts_servers[i].endpoint, options->listen, port,
                                   &sandbox->certificate, &sandbox->tts_ports[i], error);
        if (result != 0) break;
        result = grpc_front_listen(sandbox->grpc, tts_servers[i].endpoint, options->listen, plain_port, NULL,
                                   &sandbox->plain_tts_ports[i], error);
    }
    return result;
}

static int open_grpc(struct sandbox *sandbox, struct error *error) {
    const struct options *options = &sandbox->options;
    const struct certificate *tls = &sandbox->certificate;
    const struct {
        enum world_endpoint endpoint;
        const struct certificate *certificate;
        unsigned port;
        unsigned *ret_port;
    } ports[] = {
        {WORLD_TTNV2_DISCOVERY, tls, options->discovery_port, &sandbox->discovery_port},
        {WORLD_TTNV2_DISCOVERY, NULL, options->plain_discovery_port, &sandbox->plain_discovery_port},
        {WORLD_TTNV2_HANDLER, tls, options->handler_port, &sandbox->handler_port},
        {WORLD_TTNV2_HANDLER, NULL, options->plain_handler_port, &sandbox->plain_handler_port},
        {WORLD_CHIRPSTACK, NULL, options->chirpstack_port, &sandbox->chirpstack_port},
        {WORLD_CHIRPSTACK, tls, 0, &sandbox->chirpstack_tls_port},
    };
    sandbox->grpc = grpc_front_new(&sandbox->stage);
    int result = 0;
    for (size_t i = 0; result == 0 && i < sizeof ports / sizeof *ports; i++) {
        result = grpc_front_listen(sandbox->grpc, ports[i].endpoint, options->listen, ports[i].port,
                                   ports[i].certificate, ports[i].ret_port, error);
    }
    return result == 0 ? open_tts(sandbox, error) : result;
}

static void announce(struct sandbox *sandbox) {
    bool plain = sandbox->options.plain_handler;
    unsigned port = plain ? sandbox->plain_handler_port : sandbox->handler_port;
    char *address MEMORY_AUTO = host_port(&sandbox->options, port);
    world_announce_handler(sandbox->stage.world, address, plain ? "" : sandbox->certificate.certificate_pem,
                           "");
    const char *listen = sandbox->options.listen;
    world_announce_tts(sandbox->stage.world, strcmp(listen, "127.0.0.1") == 0 ? "localhost" : listen);
}

static int serve(struct sandbox *sandbox, struct error *error) {
    const struct options *options = &sandbox->options;
    int result = make_world(sandbox, error);
    const char *name = strcmp(options->listen, "127.0.0.1") == 0 ? NULL : options->listen;
    if (result == 0) result = certificate_make(name, &sandbox->certificate, error);
    if (result == 0) result = write_ca(sandbox, error);
    if (result == 0) result = open_grpc(sandbox, error);
    if (result == 0) {
        result = http_front_start(&sandbox->stage, options->listen, options->http_port, NULL, &sandbox->http,
                                  &sandbox->http_port, error);
    }
    if (result == 0) {
        http_front_start(&sandbox->stage, options->listen, 0, &sandbox->certificate, &sandbox->https,
                         &sandbox->https_port, NULL);
        announce(sandbox);
        result = grpc_front_start(sandbox->grpc, error);
    }
    return result;
}

static void put_export(struct buffer *text, const char *name, const char *value) {
    buffer_printf(text, "export %s='%s'\n", name, value);
}

static void put_address(struct buffer *text, const struct sandbox *sandbox, const char *name,
                        const char *scheme, unsigned port) {
    char *address MEMORY_AUTO = host_port(&sandbox->options, port);
    char *value MEMORY_AUTO = memory_printf("%s%s", scheme, address);
    put_export(text, name, value);
}

static void describe_chirpstack(const struct sandbox *sandbox, struct buffer *text) {
    const struct world *world = sandbox->stage.world;
    put_address(text, sandbox, "CHIRPSTACK_API_URL", "", sandbox->chirpstack_port);
    put_export(text, "CHIRPSTACK_API_KEY", world_chirpstack_key(world, WORLD_CHIRPSTACK_KEY_ADMIN));
    put_export(text, "CHIRPSTACK_INSECURE", "true");
    put_address(text, sandbox, "TARGET_CHIRPSTACK_API_URL", "", sandbox->chirpstack_port);
    put_export(text, "TARGET_CHIRPSTACK_API_KEY", world_chirpstack_key(world, WORLD_CHIRPSTACK_KEY_ADMIN));
    put_export(text, "TARGET_CHIRPSTACK_INSECURE", "true");
    put_export(text, "TARGET_CHIRPSTACK_TENANT", WORLD_CHIRPSTACK_TENANT);
    put_export(text, "TARGET_CHIRPSTACK_APPLICATION", WORLD_CHIRPSTACK_TARGET);
    put_address(text, sandbox, "SANDBOX_CHIRPSTACK_TLS", "https://", sandbox->chirpstack_tls_port);
    put_address(text, sandbox, "SANDBOX_CHIRPSTACK_V3", "http://", sandbox->http_port);
    put_export(text, "SANDBOX_CHIRPSTACK_APPLICATION", WORLD_CHIRPSTACK_APPLICATION);
    put_export(text, "SANDBOX_CHIRPSTACK_APPLICATION_ID", world_chirpstack_application_id(world));
    put_export(text, "SANDBOX_CHIRPSTACK_TENANT_ID", world_chirpstack_tenant_id(world));
    put_export(text, "SANDBOX_CHIRPSTACK_KEY_TENANT",
               world_chirpstack_key(world, WORLD_CHIRPSTACK_KEY_TENANT));
    put_export(text, "SANDBOX_CHIRPSTACK_KEY_OTHER_TENANT",
               world_chirpstack_key(world, WORLD_CHIRPSTACK_KEY_OTHER_TENANT));
    put_export(text, "SANDBOX_CHIRPSTACK_KEY_READ_ONLY",
               world_chirpstack_key(world, WORLD_CHIRPSTACK_KEY_READ_ONLY));
}

static void describe_loriot(const struct sandbox *sandbox, struct buffer *text) {
    put_address(text, sandbox, "LORIOT_API_URL", "http://", sandbox->http_port);
    put_export(text, "LORIOT_API_KEY", WORLD_LORIOT_KEY);
    put_export(text, "SANDBOX_LORIOT_READ_KEY", WORLD_LORIOT_READ_KEY);
    put_export(text, "SANDBOX_LORIOT_APPLICATION", WORLD_LORIOT_APPLICATION);
    if (sandbox->https != NULL)
        put_address(text, sandbox, "SANDBOX_LORIOT_TLS", "https://", sandbox->https_port);
}

static void describe_awsiot(const struct sandbox *sandbox, struct buffer *text) {
    put_address(text, sandbox, "AWS_ENDPOINT_URL_IOT_WIRELESS", "http://", sandbox->http_port);
    put_export(text, "AWS_REGION", WORLD_AWS_REGION);
    put_export(text, "AWS_ACCESS_KEY_ID", WORLD_AWS_KEY_ID);
    put_export(text, "AWS_SECRET_ACCESS_KEY", WORLD_AWS_SECRET);
    put_export(text, "SANDBOX_AWS_READ_KEY_ID", WORLD_AWS_READ_KEY_ID);
    put_export(text, "SANDBOX_AWS_READ_SECRET", WORLD_AWS_READ_SECRET);
    put_export(text, "SANDBOX_AWS_SESSION_KEY_ID", WORLD_AWS_SESSION_KEY_ID);
    put_export(text, "SANDBOX_AWS_SESSION_SECRET", WORLD_AWS_SESSION_SECRET);
    put_export(text, "SANDBOX_AWS_SESSION_TOKEN", WORLD_AWS_SESSION_TOKEN);
    if (sandbox->https != NULL)
        put_address(text, sandbox, "SANDBOX_AWS_TLS", "https://", sandbox->https_port);
}

// What the program needs to read from the one application, or write to the other.
static void describe_tts(const struct sandbox *sandbox, const char *prefix, const char *app_id,
                         enum world_tts_key key, struct buffer *text) {
    buffer_printf(text, "export %sAPP_ID='%s'\n", prefix, app_id);
    buffer_printf(text, "export %sAPP_API_KEY='%s'\n", prefix, world_tts_key(sandbox->stage.world, key));
    char *address MEMORY_AUTO = memory_printf("%sDEFAULT_GRPC_ADDRESS", prefix);
    put_address(text, sandbox, address, "", sandbox->tts_ports[0]);
    for (unsigned i = 0; i < TTS_SERVERS; i++) {
        char *name MEMORY_AUTO = memory_printf("%s%s_GRPC_ADDRESS", prefix, tts_servers[i].name);
        put_address(text, sandbox, name, "", sandbox->tts_ports[i]);
    }
    buffer_printf(text, "export %sCA_FILE='%s'\n", prefix, sandbox->ca_path);
}

static void describe_cluster(const struct sandbox *sandbox, struct buffer *text) {
    static const struct {
        enum world_tts_key key;
        const char *name;
    } keys[] = {{WORLD_TTS_KEY_NO_READ_KEYS, "NO_READ_KEYS"},
                {WORLD_TTS_KEY_NO_WRITE_KEYS, "NO_WRITE_KEYS"},
                {WORLD_TTS_KEY_NO_INFO, "NO_INFO"},
                {WORLD_TTS_KEY_READ_ONLY, "READ_ONLY"},
                {WORLD_TTS_KEY_USER, "USER"},
                {WORLD_TTS_KEY_NO_SETTINGS, "NO_SETTINGS"},
                {WORLD_TTS_KEY_SOURCE_DEVICES, "SOURCE_DEVICES"}};
    describe_tts(sandbox, "TTS_", WORLD_TTS_SOURCE_APP_ID, WORLD_TTS_KEY_SOURCE, text);
    describe_tts(sandbox, "TARGET_TTS_", WORLD_TTS_TARGET_APP_ID, WORLD_TTS_KEY_TARGET, text);
    for (unsigned i = 0; i < TTS_SERVERS; i++) {
        char *name MEMORY_AUTO = memory_printf("SANDBOX_TTS_%s_PLAIN", tts_servers[i].name);
        put_address(text, sandbox, name, "", sandbox->plain_tts_ports[i]);
    }
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        char *name MEMORY_AUTO = memory_printf("SANDBOX_TTS_KEY_%s", keys[i].name);
        put_export(text, name, world_tts_key(sandbox->stage.world, keys[i].key));
    }
    put_export(text, "SANDBOX_TTS_USER_ID", WORLD_TTS_USER_ID);
}

static void describe(const struct sandbox *sandbox, struct buffer *text) {
    const struct world *world = sandbox->stage.world;
    put_export(text, "TTNV2_APP_ID", world_app_id(world));
    put_export(text, "TTNV2_APP_ACCESS_KEY", world_access_key(world));
    put_address(text, sandbox, "TTNV2_DISCOVERY_SERVER_ADDRESS", "", sandbox->discovery_port);
    put_export(text, "TTNV2_CA_CERT", sandbox->ca_path);
    put_export(text, "FREQUENCY_PLAN_ID", "EU_863_870_TTN");
    put_address(text, sandbox, "SANDBOX_DISCOVERY", "", sandbox->discovery_port);
    put_address(text, sandbox, "SANDBOX_DISCOVERY_PLAIN", "", sandbox->plain_discovery_port);
    put_address(text, sandbox, "SANDBOX_HANDLER", "", sandbox->handler_port);
    put_address(text, sandbox, "SANDBOX_HANDLER_PLAIN", "", sandbox->plain_handler_port);
    put_address(text, sandbox, "SANDBOX_HTTP", "http://", sandbox->http_port);
    put_address(text, sandbox, "SANDBOX_ACCOUNT_SERVER", "http://", sandbox->http_port);
    if (sandbox->https != NULL) {
        put_address(text, sandbox, "SANDBOX_ACCOUNT_SERVER_TLS", "https://", sandbox->https_port);
    }
    put_export(text, "SANDBOX_ACCOUNT_TOKEN", world_user_token(world));
    put_export(text, "SANDBOX_KEY_DEVICES_ONLY", world_key_devices_only(world));
    put_export(text, "SANDBOX_KEY_SETTINGS_ONLY", world_key_settings_only(world));
    describe_chirpstack(sandbox, text);
    describe_loriot(sandbox, text);
    describe_awsiot(sandbox, text);
    describe_cluster(sandbox, text);
    put_address(text, sandbox, "FIREFLY_HOST", "http://", sandbox->http_port);
    put_export(text, "FIREFLY_API_KEY", WORLD_FIREFLY_KEY);
    put_export(text, "SANDBOX_FIREFLY_READ_KEY", WORLD_FIREFLY_READ_KEY);
    if (sandbox->https != NULL)
        put_address(text, sandbox, "SANDBOX_FIREFLY_TLS", "https://", sandbox->https_port);
    buffer_printf(text, "export SANDBOX_PID='%ld'\n", (long)getpid());
}

static int report(const struct sandbox *sandbox, struct error *error) {
    BUFFER_AUTO text;
    buffer_init(&text, BUFFER_UNLIMITED);
    describe(sandbox, &text);
    if (fwrite(text.data, 1, text.size, stdout) != text.size || fflush(stdout) != 0) {
        return error_set(error, ERROR_OUTPUT, "cannot write to standard output: %s", strerror(errno));
    }
    if (sandbox->options.ports_file == NULL) return 0;
    return files_write(sandbox->options.ports_file, text.data, text.size, error);
}

static void wait_for_signal(struct sandbox *sandbox, const sigset_t *signals) {
    struct timespec interval = {.tv_nsec = ADVANCE_EVERY_MS * NS_PER_MS};
    while (sigtimedwait(signals, NULL, &interval) < 0) stage_advance(&sandbox->stage);
}

static int finish(struct sandbox *sandbox, bool served, struct error *error) {
    grpc_front_free(sandbox->grpc);
    http_front_free(sandbox->http);
    http_front_free(sandbox->https);
    int result = 0;
    if (served && sandbox->options.state != NULL) {
        result = files_save_state(sandbox->stage.world, sandbox->options.state, error);
    }
    if (sandbox->ca_path != NULL) unlink(sandbox->ca_path);
    if (sandbox->directory != NULL) rmdir(sandbox->directory);
    free(sandbox->ca_path);
    free(sandbox->directory);
    certificate_release(&sandbox->certificate);
    stage_release(&sandbox->stage);
    return result;
}

static int run(struct sandbox *sandbox, struct error *error) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    setenv("GRPC_VERBOSITY", "NONE", 0);
    int result = serve(sandbox, error);
    if (result == 0) result = report(sandbox, error);
    bool served = result == 0;
    if (served) wait_for_signal(sandbox, &signals);
    int finished = finish(sandbox, served, served ? error : NULL);
    return served ? finished : result;
}

int main(int argc, char **argv) {
    ERROR_AUTO error = {0};
    struct sandbox sandbox = {0};
    int result = options_parse(argc, argv, &sandbox.options, &error);
    if (result == 0 && sandbox.options.help) {
        return fputs(options_help, stdout) < 0 || fputs(options_help_servers, stdout) < 0 ||
               fflush(stdout) != 0;
    }
    if (result == 0 && sandbox.options.version) return puts("ttn-lw-sandbox " PROJECT_VERSION) < 0;
    if (result == 0) result = run(&sandbox, &error);
    if (result == 0) return EXIT_SUCCESS;
    char *text MEMORY_AUTO = error_chain(&error);
    fprintf(stderr, "ttn-lw-sandbox: %s\n", text);
    return error.code == ERROR_USAGE ? EXIT_USAGE : EXIT_FAILURE;
}
