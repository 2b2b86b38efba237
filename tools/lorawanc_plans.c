// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "lorawanc.h"

static const char *const plan_keys[] = {
    "base",
    "name",
    "for",
    "band",
    "uplink-channels",
    "downlink-channels",
    "lora-standard",
    "fsk",
    "rx2",
    "rx2-data-rate",
    "ping-slot",
    "ping-slot-data-rate",
    "max-eirp",
    "dwell-time",
    "listen-before-talk",
    "sub-bands",
    NULL,
};

struct context {
    const struct text_file *file;
    struct tables *tables;
    struct buffer *out;
    const struct text_line *where;
    struct text_values values;
};

static const struct text_line *value(const struct context *context, const char *key) {
    return text_get(&context->values, key);
}

// Sets the lines of the plan that begins at line `i` over those that are there.
static void take_lines(const struct text_file *file, size_t i, struct text_values *values) {
    for (i++; i < file->count && file->lines[i].level == 1; i++) text_set(values, &file->lines[i]);
}

static size_t find_plan(const struct text_file *file, const struct text_line *reference) {
    for (size_t i = 0; i < file->count; i++)
        if (file->lines[i].level == 0 && strcmp(file->lines[i].value, reference->value) == 0) return i;
    text_fail(reference, "there is no plan `%s`", reference->value);
}

static void collect(struct context *context, size_t i) {
    struct text_values own = {.keys = plan_keys};
    take_lines(context->file, i, &own);
    context->where = &context->file->lines[i];
    context->values = (struct text_values){.keys = plan_keys};
    const struct text_line *base = text_get(&own, "base");
    if (base != NULL) take_lines(context->file, find_plan(context->file, base), &context->values);
    for (size_t key = 0; plan_keys[key] != NULL; key++) {
        bool inherited = strcmp(plan_keys[key], "base") != 0 && strcmp(plan_keys[key], "name") != 0 &&
                         strcmp(plan_keys[key], "for") != 0;
        if (own.lines[key] != NULL || !inherited) context->values.lines[key] = own.lines[key];
    }
}

static void write_channels(const struct context *context) {
    const struct text_line *up = text_must(&context->values, "uplink-channels", context->where);
    const struct text_line *down = value(context, "downlink-channels");
    if (down == NULL || strcmp(down->value, "as-uplinks") == 0) down = up;
    struct array array = tables_channels(context->tables, up);
    buffer_printf(context->out, ".uplink_channels = %s, .uplink_channel_count = %u, ", array.name,
                  array.count);
    unsigned uplinks = array.count;
    array = tables_channels(context->tables, down);
    if (array.count != 0 && array.count != uplinks)
        text_fail(down, "%u downlink channels for %u uplink channels", array.count, uplinks);
    buffer_printf(context->out, ".downlink_channels = %s, .downlink_channel_count = %u, ", array.name,
                  array.count);
    if (value(context, "sub-bands") == NULL) return;
    array = tables_sub_bands(context->tables, value(context, "sub-bands"));
    buffer_printf(context->out, ".sub_bands = %s, .sub_band_count = %u, ", array.name, array.count);
}

static void write_fixed_channel(const struct context *context, const char *key, const char *member) {
    const struct text_line *line = value(context, key);
    struct text_words words;
    if (line == NULL) return;
    text_words_init(&words, line);
    text_need(&words);
    char *rate = strchr(words.word, '@');
    if (rate == NULL) text_fail(line, "`%s` lacks its data rate", words.word);
    *rate++ = '\0';
    buffer_printf(context->out, ".%s = {%uU, %ld}, ", member, text_frequency(line, words.word),
                  text_number(line, rate, 0, 15));
    text_end(&words);
}

static void write_frequency(const struct context *context, const char *key, const char *member) {
    const struct text_line *line = value(context, key);
    if (line != NULL) buffer_printf(context->out, ".%s = %uU, ", member, text_frequency(line, line->value));
}

static void write_data_rate(const struct context *context, const char *key, const char *member) {
    const struct text_line *line = value(context, key);
    buffer_printf(context->out, ".%s = %ld, ", member,
                  line == NULL ? -1 : text_number(line, line->value, 0, 15));
}

// A time such as 400ms or 128us, in ns; `-` = 0.
static long long read_time(const struct text_line *line, char *word) {
    static const struct {
        const char *unit;
        long long factor;
    } units[] = {{"us", 1000}, {"ms", 1000000}};
    if (strcmp(word, "-") == 0) return 0;
    size_t digits = strspn(word, "0123456789");
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(word + digits, units[i].unit) != 0) continue;
        word[digits] = '\0';
        return text_number(line, word, 1, 1000000) * units[i].factor;
    }
    text_fail(line, "`%s` is no time", word);
}

static void write_times(const struct context *context) {
    struct text_words words;
    const struct text_line *line = value(context, "dwell-time");
    if (line != NULL) {
        text_words_init(&words, line);
        const char *up = text_tristate(line, text_need(&words));
        const char *down = text_tristate(line, text_need(&words));
        text_need(&words);
        buffer_printf(context->out, ".dwell_uplinks = %s, .dwell_downlinks = %s, .dwell_duration = %lld, ",
                      up, down, read_time(line, words.word));
        text_end(&words);
    }
    line = value(context, "listen-before-talk");
    if (line != NULL) {
        text_words_init(&words, line);
        double target = text_decimal(line, text_need(&words));
        double offset = text_decimal(line, text_need(&words));
        text_need(&words);
        buffer_printf(context->out,
                      ".listen_before_talk = true, .lbt_rssi_target = (float)%.9g, .lbt_rssi_offset = "
                      "(float)%.9g, .lbt_scan_time = %lld, ",
                      target, offset, read_time(line, words.word));
        text_end(&words);
    }
    line = value(context, "max-eirp");
    if (line != NULL)
        buffer_printf(context->out, ".max_eirp = (float)%.9g, ", text_decimal(line, line->value));
}

// The audience that `for` names.
static void write_audience(const struct context *context) {
    const struct text_line *line = value(context, "for");
    bool devices = line == NULL, gateways = line == NULL;
    if (line != NULL) {
        struct text_words words;
        text_words_init(&words, line);
        while (*text_next(&words) != '\0') {
            if (strcmp(words.word, "devices") == 0)
                devices = true;
            else if (strcmp(words.word, "gateways") == 0)
                gateways = true;
            else
                text_fail(line, "`%s` is neither devices nor gateways", words.word);
        }
    }
    buffer_printf(context->out, ".end_devices = %d, .gateways = %d, ", devices, gateways);
}

static void write_plan(const struct context *context) {
    const struct text_line *base = value(context, "base");
    buffer_printf(context->out, "    {.id = \"%s\", .name = \"%s\", .band_id = \"%s\", ",
                  context->where->value, text_must(&context->values, "name", context->where)->value,
                  text_must(&context->values, "band", context->where)->value);
    if (base != NULL) buffer_printf(context->out, ".base_id = \"%s\", ", base->value);
    write_audience(context);
    write_channels(context);
    write_fixed_channel(context, "lora-standard", "lora_standard_channel");
    write_fixed_channel(context, "fsk", "fsk_channel");
    write_frequency(context, "rx2", "rx2_frequency");
    write_frequency(context, "ping-slot", "ping_slot_frequency");
    write_data_rate(context, "rx2-data-rate", "rx2_data_rate");
    write_data_rate(context, "ping-slot-data-rate", "ping_slot_data_rate");
    write_times(context);
    buffer_puts(context->out, "},\n");
}

unsigned compile_plans(const struct text_file *file, struct tables *tables, struct buffer *elements) {
    struct context context = {.file = file, .tables = tables, .out = elements};
    unsigned count = 0;
    for (size_t i = 0; i < file->count; i++) {
        const struct text_line *line = &file->lines[i];
        if (line->level != 0) continue;
        if (strcmp(line->key, "plan") != 0) text_fail(line, "`%s` is no plan", line->key);
        collect(&context, i);
        write_plan(&context);
        count++;
    }
    return count;
}
