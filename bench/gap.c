// SPDX-License-Identifier: Apache-2.0
// How long devices were without a network: reads the state of the sandbox from standard input and prints, as lines for
// the shell, how many have moved (count) and the times between their clearing in V2 and the last change at The Things
// Stack: gap_p50_ms, gap_p99_ms, gap_most_ms.
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct gaps {
    double *ms;
    size_t count;
};

// When the device was changed last, ns; 0 = it is not at The Things Stack.
static double arrival(const json_t *arrivals, const char *dev_eui) {
    return (double)json_integer_value(json_object_get(arrivals, dev_eui));
}

static json_t *arrivals_by_eui(const json_t *state) {
    json_t *arrivals = json_object();
    size_t index = 0;
    json_t *device = NULL;
    json_array_foreach(json_object_get(state, "tts_devices"), index, device) {
        const char *eui = json_string_value(json_object_get(json_object_get(device, "is"), "dev_eui"));
        if (eui != NULL) json_object_set(arrivals, eui, json_object_get(device, "updated_at"));
    }
    return arrivals;
}

static struct gaps read_gaps(const json_t *state) {
    const json_t *devices = json_object_get(state, "devices");
    struct gaps gaps = {.ms = calloc(json_array_size(devices) + 1, sizeof *gaps.ms)};
    if (gaps.ms == NULL) abort();
    json_t *arrivals = arrivals_by_eui(state);
    size_t index = 0;
    const json_t *device = NULL;
    json_array_foreach(devices, index, device) {
        double left = (double)json_integer_value(json_object_get(device, "cleared_at"));
        const char *eui = json_string_value(json_object_get(device, "dev_eui"));
        double arrived = eui == NULL ? 0 : arrival(arrivals, eui);
        if (left > 0 && arrived > 0) gaps.ms[gaps.count++] = (arrived - left) / 1e6;
    }
    json_decref(arrivals);
    return gaps;
}

static int by_size(const void *a, const void *b) {
    double one = *(const double *)a;
    double other = *(const double *)b;
    return (one > other) - (one < other);
}

int main(void) {
    json_error_t error;
    json_t *state = json_loadf(stdin, 0, &error);
    if (state == NULL) {
        fprintf(stderr, "gap: line %d: %s\n", error.line, error.text);
        return 1;
    }
    struct gaps gaps = read_gaps(state);
    json_decref(state);
    qsort(gaps.ms, gaps.count, sizeof *gaps.ms, by_size);
    size_t last = gaps.count == 0 ? 0 : gaps.count - 1;
    printf("count=%zu\ngap_p50_ms=%.1f\ngap_p99_ms=%.1f\ngap_most_ms=%.1f\n", gaps.count, gaps.ms[last / 2],
           gaps.ms[last * 99 / 100], gaps.ms[last]);
    free(gaps.ms);
    return 0;
}
