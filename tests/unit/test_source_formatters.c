// SPDX-License-Identifier: Apache-2.0
// What sources make of the payload functions and formatters of an application.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "device/message.h"
#include "device/payload_formatters.h"
#include "formatter/formatter.h"
#include "support/source_play.h"
#include "ttnv2.pb-c.h"

static const char *const v2_options[] = {"app-id=my-app", "app-access-key=ttn-account-v2.made-up",
                                         "frequency-plan-id=EU_863_870_TTN",
                                         "handler-address=handler.example:1904", NULL};
static const char *const tts_options[] = {"app-id=my-app", "app-api-key=NNSXS.MADE.UP",
                                          "default-grpc-address=stack.example", NULL};

// What the server answers to the question for formatters.
struct answers {
    const ProtobufCMessage *message;  // NULL: bytes that are none
    enum grpc_status status;
    const char *refusal;
    unsigned asked;
};

static void answer(struct play *play, const struct call *call, struct reply *reply) {
    struct answers *answers = play->context;
    reply->outcome = REPLY_ANSWERED;
    reply->http_status = 200;
    if (strstr(call->method, "ListRights") != NULL) {
        Tts__Right all[] = {TTS__RIGHT__RIGHT_APPLICATION_ALL};
        Tts__Rights rights = TTS__RIGHTS__INIT;
        rights.n_rights = 1;
        rights.rights = all;
        message_pack(&rights.base, &reply->body);
        return;
    }
    bool v2 = strcmp(play->driver->name, "ttnv2") == 0;
    assert_string_equal(call->method,
                        v2 ? "/handler.ApplicationManager/GetApplication" : "/ttn.lorawan.v3.As/GetLink");
    assert_false(call->changes);
    answers->asked++;
    reply->grpc_status = answers->status;
    reply->message = memory_strdup(answers->refusal);
    if (answers->message == NULL) {
        buffer_add(&reply->body, "\x0A\xFF", 2);
    } else if (answers->status == GRPC_OK) {
        message_pack(answers->message, &reply->body);
    }
}

struct asking {
    struct play play;
    struct answers answers;
    struct arena arena;
    struct source_formatters found;
};

static void begin(struct asking *asking, const char *driver) {
    *asking = (struct asking){0};
    bool v2 = strcmp(driver, "ttnv2") == 0;
    play_init(&asking->play, driver, answer, v2 ? v2_options : tts_options);
    asking->play.context = &asking->answers;
    assert_int_equal(play_open(&asking->play), 0);
    assert_int_equal(play_prepare(&asking->play, "my-app"), JOB_DONE);
    asking->found.arena = &asking->arena;
}

static enum job_step ask(struct asking *asking) {
    struct play *play = &asking->play;
    asking->found = (struct source_formatters){.arena = &asking->arena};
    return play_run(play, play->driver->formatters(play->source, &play->job, &asking->found, &play->error));
}

static void end(struct asking *asking) {
    play_release(&asking->play);
    arena_release(&asking->arena);
}

// ---- V2

static Ttnv2__Application functions(char *decoder, char *encoder, char *format) {
    Ttnv2__Application application = TTNV2__APPLICATION__INIT;
    application.decoder = decoder;
    application.encoder = encoder;
    application.payload_format = format;
    return application;
}

static char decoder[] = "function Decoder(bytes, port) { return { first: bytes[0] }; }";
static char encoder[] = "function Encoder(fields, port) { return [1]; }";
static char custom[] = "custom";
static char nothing[] = "";

static void test_v2(void **state) {
    (void)state;
    struct asking asking;
    begin(&asking, "ttnv2");
    Ttnv2__Application application = functions(decoder, encoder, custom);
    asking.answers.message = &application.base;
    assert_int_equal(ask(&asking), JOB_DONE);
    const Tts__MessagePayloadFormatters *made = asking.found.formatters;
    assert_int_equal(payload_formatters_directions(made), FORMATTERS_BOTH);
    assert_int_equal(made->up_formatter, TTS__PAYLOAD_FORMATTER__FORMATTER_JAVASCRIPT);
    assert_non_null(strstr(made->up_formatter_parameter, decoder));
    assert_non_null(strstr(made->up_formatter_parameter, "function decodeUplink("));
    assert_non_null(strstr(made->down_formatter_parameter, encoder));
    assert_null(asking.found.remark);
    application = functions(decoder, nothing, nothing);
    assert_int_equal(ask(&asking), JOB_DONE);
    assert_int_equal(payload_formatters_directions(asking.found.formatters), FORMATTERS_UP);
    application = functions(nothing, nothing, custom);
    assert_int_equal(ask(&asking), JOB_DONE);
    assert_int_equal(payload_formatters_directions(asking.found.formatters), 0);
    char cayenne[] = "cayennelpp";
    application = functions(nothing, nothing, cayenne);
    assert_int_equal(ask(&asking), JOB_DONE);
    assert_int_equal(asking.found.formatters->up_formatter, TTS__PAYLOAD_FORMATTER__FORMATTER_CAYENNELPP);
    assert_int_equal(asking.found.formatters->down_formatter, TTS__PAYLOAD_FORMATTER__FORMATTER_CAYENNELPP);
    assert_non_null(strstr(asking.found.remark, "Cayenne"));
    end(&asking);
}

static void test_v2_impossible(void **state) {
    (void)state;
    struct asking asking;
    begin(&asking, "ttnv2");
    char *large = memory_alloc(FORMATTER_SCRIPT_MAX + 1, 1);
    memset(large, ' ', FORMATTER_SCRIPT_MAX);
    Ttnv2__Application application = functions(large, nothing, custom);
    asking.answers.message = &application.base;
    assert_int_equal(ask(&asking), JOB_FAILED);
    assert_int_equal(asking.play.error.code, ERROR_TOO_LARGE);
    free(large);
    char broken[] = "function Decoder() { return '\xFF'; }";
    application = functions(broken, nothing, custom);
    assert_int_equal(ask(&asking), JOB_FAILED);
    assert_int_equal(asking.play.error.code, ERROR_INPUT);
    char strange[] = "protobuf";
    application = functions(decoder, nothing, strange);
    assert_int_equal(ask(&asking), JOB_FAILED);
    assert_int_equal(asking.play.error.code, ERROR_INPUT);
    assert_null(asking.found.formatters);
    asking.answers.message = NULL;
    assert_int_equal(ask(&asking), JOB_FAILED);
    assert_int_equal(asking.play.error.code, ERROR_PROTOCOL);
    end(&asking);
}

// The key that the guide tells people to make may not read them.
static void test_denied(void **state) {
    (void)state;
    static const struct {
        const char *driver;
        const char *refusal;
        const char *right;
    } rows[] = {
        {"ttnv2", "permission denied: No \"settings\" rights to Application \"my-app\"", "\"settings\""},
        {"tts", "rights do not suffice", "RIGHT_APPLICATION_SETTINGS_BASIC"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct asking asking;
        const Google__Empty empty = GOOGLE__EMPTY__INIT;
        begin(&asking, rows[i].driver);
        asking.answers = (struct answers){
            .message = &empty.base, .status = GRPC_PERMISSION_DENIED, .refusal = rows[i].refusal};
        assert_int_equal(ask(&asking), JOB_FAILED);
        assert_int_equal(asking.play.error.code, ERROR_DENIED);
        assert_non_null(strstr(asking.play.error.hint, rows[i].right));
        assert_int_equal(asking.answers.asked, 1);
        end(&asking);
    }
}

// ---- The Things Stack

static void test_tts(void **state) {
    (void)state;
    struct asking asking;
    begin(&asking, "tts");
    Tts__ApplicationLink link = TTS__APPLICATION_LINK__INIT;
    asking.answers.message = &link.base;
    assert_int_equal(ask(&asking), JOB_DONE);
    assert_null(asking.found.formatters);
    Tts__MessagePayloadFormatters formatters = TTS__MESSAGE_PAYLOAD_FORMATTERS__INIT;
    char script[] = "function decodeUplink(input) { return { data: {} }; }";
    char service[] = "formatters.example:1883";
    formatters.up_formatter = TTS__PAYLOAD_FORMATTER__FORMATTER_JAVASCRIPT;
    formatters.up_formatter_parameter = script;
    formatters.down_formatter = TTS__PAYLOAD_FORMATTER__FORMATTER_GRPC_SERVICE;
    formatters.down_formatter_parameter = service;
    link.default_formatters = &formatters;
    assert_int_equal(ask(&asking), JOB_DONE);
    assert_true(payload_formatters_equal(asking.found.formatters, &formatters, FORMATTERS_BOTH));
    // An application that never got any.
    asking.answers.status = GRPC_NOT_FOUND;
    assert_int_equal(ask(&asking), JOB_DONE);
    assert_null(asking.found.formatters);
    asking.answers.status = GRPC_OK;
    asking.answers.message = NULL;
    assert_int_equal(ask(&asking), JOB_FAILED);
    assert_int_equal(asking.play.error.code, ERROR_PROTOCOL);
    end(&asking);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v2),
        cmocka_unit_test(test_v2_impossible),
        cmocka_unit_test(test_denied),
        cmocka_unit_test(test_tts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
