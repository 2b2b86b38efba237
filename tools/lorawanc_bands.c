// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "lorawanc.h"

static const char *const band_keys[] = {
    "uplink-channels",
    "downlink-channels",
    "max-channels",
    "data-rates",
    "rx1-data-rates",
    "rx2",
    "max-eirp",
    "tx-offsets",
    "max-adr-data-rate",
    "sub-bands",
    "ping-slots",
    "beacon",
    "beacon-frequencies",
    "cf-list",
    "implements-cf-list",
    "dynamic-adr",
    "tx-param-setup",
    "strict-coding-rate",
    "boot-dwell-time",
    "relay-channels",
    "frequency-step",
    "receive-delays",
    "join-accept-delays",
    "retransmit-timeouts",
    "adr-ack",
    "max-fcnt-gap",
    NULL,
};

// What is needed to write one band.
struct context {
    const struct text_file *file;
    struct tables *tables;
    struct buffer *out;
    const struct text_line *where;  // the line that began the set, for messages
    struct text_values values;
};

static const struct text_line *value(const struct context *context, const char *key) {
    return text_must(&context->values, key, context->where);
}

static bool value_is(const struct context *context, const char *key, const char *text) {
    return strcmp(value(context, key)->value, text) == 0;
}

// The first line below the table of that kind and name which `line` asks for.
static size_t find_table(const struct context *context, const struct text_line *line) {
    for (size_t i = 0; i < context->file->count; i++) {
        const struct text_line *at = &context->file->lines[i];
        if (at->level == 0 && strcmp(at->key, line->key) == 0 && strcmp(at->value, line->value) == 0)
            return i + 1;
    }
    text_fail(line, "there is no %s `%s`", line->key, line->value);
}

static bool in_table(const struct context *context, size_t i) {
    return i < context->file->count && context->file->lines[i].level > 0;
}

static void write_data_rate(struct buffer *out, const struct text_line *line) {
    struct text_words words;
    const char *modulation = NULL;
    char coding_rate[6] = "";
    long factor = 0;
    text_words_init(&words, line);
    const char *kind = text_need(&words);
    bool fsk = strcmp(kind, "fsk") == 0;
    if (strcmp(kind, "lora") == 0) modulation = "BAND_LORA";
    if (strcmp(kind, "lr-fhss") == 0) modulation = "BAND_LR_FHSS";
    if (fsk) modulation = "BAND_FSK";
    if (modulation == NULL) text_fail(line, "`%s` is no modulation", kind);
    if (strcmp(modulation, "BAND_LORA") == 0) factor = text_number(line, text_need(&words), 5, 12);
    long bandwidth = text_number(line, text_need(&words), 1, 10000000);
    if (!fsk) {
        size_t size = strlen(text_need(&words));
        if (size >= sizeof coding_rate) text_fail(line, "`%s` is too long", words.word);
        memcpy(coding_rate, words.word, size + 1);
    }
    long payload = text_number(line, text_need(&words), 0, 255);
    long payload_dwell = text_number(line, text_need(&words), 0, 255);
    text_end(&words);
    buffer_printf(out, "{%ld, %s, %ld, %ld, %ld, \"%s\", %ldU}, ", text_number(line, line->key, 0, 15),
                  modulation, factor, payload, payload_dwell, coding_rate, bandwidth);
}

static void write_data_rates(const struct context *context) {
    BUFFER_AUTO content = {.limit = BUFFER_UNLIMITED};
    size_t first = find_table(context, value(context, "data-rates"));
    size_t i = first;
    for (; in_table(context, i); i++) write_data_rate(&content, &context->file->lines[i]);
    struct array array = tables_add(context->tables, "struct band_data_rate", "data_rates",
                                    buffer_string(&content), (unsigned)(i - first));
    buffer_printf(context->out, ".data_rates = %s, .data_rate_count = %u, ", array.name, array.count);
}

// One row of an RX1 table; returns its length.
static unsigned write_row(struct buffer *out, const struct text_line *line) {
    struct text_words words;
    unsigned count = 0;
    text_words_init(&words, line);
    for (; *text_next(&words) != '\0'; count++) {
        bool none = strcmp(words.word, "-") == 0;
        buffer_printf(out, "%ld, ", none ? -1 : text_number(line, words.word, 0, 15));
    }
    return count;
}

// The rows for limited dwell time (`on`) or for unlimited (`off`); those marked `any` are in both.
static struct array rx1_table(const struct context *context, const char *mark, unsigned *ret_columns) {
    BUFFER_AUTO content = {.limit = BUFFER_UNLIMITED};
    unsigned rows = 0, columns = 0;
    for (size_t i = find_table(context, value(context, "rx1-data-rates")); in_table(context, i); i++) {
        const struct text_line *line = &context->file->lines[i];
        if (strcmp(line->key, "any") != 0 && strcmp(line->key, "on") != 0 && strcmp(line->key, "off") != 0)
            text_fail(line, "`%s` is none of any, on, off", line->key);
        if (strcmp(line->key, "any") != 0 && strcmp(line->key, mark) != 0) continue;
        unsigned count = write_row(&content, line);
        if (rows++ > 0 && count != columns) text_fail(line, "the rows differ in length");
        columns = count;
    }
    *ret_columns = columns;
    struct array array =
        tables_add(context->tables, "int8_t", "rx1", buffer_string(&content), rows * columns);
    array.count = rows;
    return array;
}

static void write_rx1(const struct context *context) {
    unsigned columns, columns_dwell;
    struct array array = rx1_table(context, "off", &columns);
    buffer_printf(context->out, ".rx1_data_rates = %s, .rx1_offset_count = %u, .rx1_data_rate_count = %u, ",
                  array.name, array.count, columns);
    struct array dwell = rx1_table(context, "on", &columns_dwell);
    if (dwell.count != array.count || columns_dwell != columns)
        text_fail(value(context, "rx1-data-rates"), "the rows `on` and `off` do not match");
    buffer_printf(context->out, ".rx1_data_rates_dwell = %s, ", dwell.name);
}

static void write_list(const struct context *context, const char *key, const char *from, const char *member,
                       const char *count_member,
                       struct array make(struct tables *, const struct text_line *)) {
    const struct text_line *line = value(context, key);
    if (strncmp(line->value, "as-", 3) == 0) line = value(context, from);
    struct array array = make(context->tables, line);
    buffer_printf(context->out, ".%s = %s, .%s = %u, ", member, array.name, count_member, array.count);
}

static void write_lists(const struct context *context) {
    write_list(context, "uplink-channels", "", "uplink_channels", "uplink_channel_count", tables_channels);
    write_list(context, "downlink-channels", "uplink-channels", "downlink_channels", "downlink_channel_count",
               tables_channels);
    write_list(context, "sub-bands", "", "sub_bands", "sub_band_count", tables_sub_bands);
    write_list(context, "ping-slots", "", "ping_slot_frequencies", "ping_slot_frequency_count",
               tables_frequencies);
    write_list(context, "beacon-frequencies", "ping-slots", "beacon_frequencies", "beacon_frequency_count",
               tables_frequencies);
}

static void write_tx_offsets(const struct context *context) {
    BUFFER_AUTO content = {.limit = BUFFER_UNLIMITED};
    const struct text_line *line = value(context, "tx-offsets");
    struct text_words words;
    unsigned count = 0;
    text_words_init(&words, line);
    for (; *text_next(&words) != '\0'; count++)
        buffer_printf(&content, "%ld, ", text_number(line, words.word, -100, 0));
    if (count == 0) text_fail(line, "there is no TX power");
    struct array array = tables_add(context->tables, "int8_t", "tx_offsets", buffer_string(&content), count);
    buffer_printf(context->out, ".tx_offsets = %s, .max_tx_power_index = %u, ", array.name, count - 1);
}

static void write_relay_channels(const struct context *context) {
    BUFFER_AUTO content = {.limit = BUFFER_UNLIMITED};
    const struct text_line *line = value(context, "relay-channels");
    struct text_words words;
    unsigned count = 0;
    text_words_init(&words, line);
    for (; strcmp(line->value, "none") != 0 && *text_next(&words) != '\0'; count++) {
        char *answer = strchr(words.word, '/');
        char *rate = strchr(words.word, '@');
        if (answer == NULL || rate == NULL) text_fail(line, "`%s` is no relay channel", words.word);
        *answer++ = *rate++ = '\0';
        buffer_printf(&content, "{%uU, %uU, %ld}, ", text_frequency(line, words.word),
                      text_frequency(line, answer), text_number(line, rate, 0, 15));
    }
    struct array array = tables_add(context->tables, "struct band_relay_channel", "relay_channels",
                                    count > 0 ? buffer_string(&content) : "", count);
    buffer_printf(context->out, ".relay_channels = %s, .relay_channel_count = %u, ", array.name, count);
}

// One or two whole numbers; `second` may be NULL.
static void write_numbers(const struct context *context, const char *key, const char *first,
                          const char *second, long most) {
    const struct text_line *line = value(context, key);
    struct text_words words;
    text_words_init(&words, line);
    buffer_printf(context->out, ".%s = %ld, ", first, text_number(line, text_need(&words), 0, most));
    if (second != NULL)
        buffer_printf(context->out, ".%s = %ld, ", second, text_number(line, text_need(&words), 0, most));
    text_end(&words);
}

static void write_flag(const struct context *context, const char *key, const char *member) {
    const struct text_line *line = value(context, key);
    buffer_printf(context->out, ".%s = %s, ", member, text_bool(line, line->value) ? "true" : "false");
}

static void write_rx2_and_beacon(const struct context *context) {
    struct text_words words;
    const struct text_line *line = value(context, "rx2");
    text_words_init(&words, line);
    char *rate = strchr(text_need(&words), '@') == NULL ? NULL : strchr(words.word, '@');
    if (rate == NULL) text_fail(line, "`%s` lacks its data rate", words.word);
    *rate++ = '\0';
    buffer_printf(context->out, ".rx2_frequency = %uU, .rx2_data_rate_index = %ld, ",
                  text_frequency(line, words.word), text_number(line, rate, 0, 15));
    text_end(&words);

    line = value(context, "beacon");
    text_words_init(&words, line);
    long index = text_number(line, text_need(&words), 0, 15);
    buffer_printf(context->out, ".beacon_data_rate_index = %ld, .beacon_coding_rate = \"%s\", ", index,
                  text_need(&words));
    text_end(&words);
}

static void write_flags(const struct context *context) {
    struct text_words words;
    const struct text_line *line = value(context, "cf-list");
    if (!value_is(context, "cf-list", "frequencies") && !value_is(context, "cf-list", "channel-masks"))
        text_fail(line, "`%s` is neither frequencies nor channel-masks", line->value);
    buffer_printf(context->out, ".cf_list_type = %s, ",
                  value_is(context, "cf-list", "frequencies") ? "BAND_CF_LIST_FREQUENCIES"
                                                              : "BAND_CF_LIST_CHANNEL_MASKS");
    write_flag(context, "implements-cf-list", "implements_cf_list");
    write_flag(context, "dynamic-adr", "supports_dynamic_adr");
    write_flag(context, "tx-param-setup", "tx_param_setup_req");
    write_flag(context, "strict-coding-rate", "strict_coding_rate");
    line = value(context, "boot-dwell-time");
    text_words_init(&words, line);
    buffer_printf(context->out, ".boot_dwell_uplinks = %s, ", text_tristate(line, text_need(&words)));
    buffer_printf(context->out, ".boot_dwell_downlinks = %s, ", text_tristate(line, text_need(&words)));
    text_end(&words);
}

static void write_versions(const struct context *context) {
    struct text_words words;
    text_words_init(&words, context->where);
    buffer_puts(context->out, ".phy_versions = 0");
    text_need(&words);
    do buffer_printf(context->out, " | 1U << %s", words.word);
    while (*text_next(&words) != '\0');
    buffer_puts(context->out, ", ");
}

static void write_band(const struct context *context, const char *id) {
    const struct text_line *eirp = value(context, "max-eirp");
    buffer_printf(context->out, "    {.id = \"%s\", .default_max_eirp = (float)%.9g, ", id,
                  text_decimal(eirp, eirp->value));
    write_versions(context);
    write_lists(context);
    write_data_rates(context);
    write_rx1(context);
    write_tx_offsets(context);
    write_relay_channels(context);
    write_rx2_and_beacon(context);
    write_flags(context);
    write_numbers(context, "max-channels", "max_uplink_channels", "max_downlink_channels", 255);
    write_numbers(context, "max-adr-data-rate", "max_adr_data_rate_index", NULL, 15);
    write_numbers(context, "frequency-step", "freq_multiplier", NULL, 255);
    write_numbers(context, "receive-delays", "receive_delay_1", "receive_delay_2", 255);
    write_numbers(context, "join-accept-delays", "join_accept_delay_1", "join_accept_delay_2", 255);
    write_numbers(context, "retransmit-timeouts", "min_retransmit_timeout", "max_retransmit_timeout", 255);
    write_numbers(context, "adr-ack", "adr_ack_limit_exponent", "adr_ack_delay_exponent", 15);
    write_numbers(context, "max-fcnt-gap", "max_fcnt_gap", NULL, 65535);
    buffer_puts(context->out, "},\n");
}

// Goes through the lines: `defaults`, then bands, then what holds for some versions of a band.
unsigned compile_bands(const struct text_file *file, struct tables *tables, struct buffer *elements) {
    struct text_values defaults = {.keys = band_keys}, common = defaults;
    struct context context = {.file = file, .tables = tables, .out = elements, .values = defaults};
    const struct text_line *band = NULL;
    unsigned count = 0;
    bool in_defaults = false;
    for (size_t i = 0; i < file->count; i++) {
        const struct text_line *line = &file->lines[i];
        if (line->level == 0) {
            in_defaults = strcmp(line->key, "defaults") == 0;
            band = strcmp(line->key, "band") == 0 ? line : NULL;
            common = defaults;
        } else if (in_defaults) {
            text_set(&defaults, line);
        } else if (band == NULL) {
            continue;  // a row of a table
        } else if (line->level == 1 && strcmp(line->key, "versions") != 0) {
            text_set(&common, line);
        } else if (line->level == 1) {
            context.where = line;
            context.values = common;
            for (; i + 1 < file->count && file->lines[i + 1].level == 2; i++)
                text_set(&context.values, &file->lines[i + 1]);
            write_band(&context, band->value);
            count++;
        } else {
            text_fail(line, "this belongs to no `versions`");
        }
    }
    return count;
}
