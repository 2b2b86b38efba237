// SPDX-License-Identifier: Apache-2.0
#include "kill.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "migrate/output_resume.h"

// So many processes may be needed at the end: see may_set_aside.
enum { LAST_TRIES = 3 };

#define VFS_NAME "journeys"

void kill_violated(struct kill *kill, const char *format, ...) {
    if (kill->violation != NULL) return;
    va_list args;
    va_start(args, format);
    kill->violation = memory_vprintf(format, args);
    va_end(args);
}

// ---- events

static bool dies_next(void *context) {
    const struct kill *kill = context;
    return kill->running && kill->dies_at > 0 && kill->events + 1 == kill->dies_at;
}

static void event(void *context) {
    struct kill *kill = context;
    if (!kill->running) return;
    bool dies = dies_next(kill);
    kill->events++;
    if (dies) longjmp(kill->death, 1);
}

static bool is_full(void *context) {
    (void)context;
    return false;
}

static uint32_t below(void *context, uint32_t limit) {
    return prng_below(&((struct kill *)context)->prng, limit);
}

static void sleep_for(void *context, int64_t ns) {
    ((struct kill *)context)->stage.now += ns;
}

static void watch(void *context, const struct call *call, enum stage_moment moment) {
    struct kill *kill = context;
    if (moment == STAGE_DONE && call->changes) kill_check_change(kill);
    event(kill);
}

// ---- open and close

static void add_fault(struct kill *kill) {
    const struct kill_case *played = &kill->played;
    struct world *world = played->fault_there ? kill->stage.there : kill->stage.world;
    ERROR_AUTO error = {0};
    if (played->fault[0] != '\0' && (world == NULL || world_add_fault(world, played->fault, &error) != 0))
        kill_violated(kill, "there is no fault %s: %s", played->fault, error.message);
}

static void kill_open(struct kill *kill, const struct kill_case *played) {
    kill->played = *played;
    kill->prng = prng_init(played->first * 1000 + played->second, 0x3EA);
    struct stage *stage = &kill->stage;
    stage_open(stage, played->network, KILL_DEVICES);
    stage_to(stage, played->target);
    stage_release_way(stage, played->way);
    stage->keep_going = true;
    stage->watch = watch;
    stage->watch_context = kill;
    kill->disk = disk_new(played->first);
    kill->user = (struct disk_user){.context = kill,
                                    .disk = kill->disk,
                                    .clock = &stage->clock,
                                    .random = &stage->random,
                                    .event = event,
                                    .dies_next = dies_next,
                                    .is_full = is_full,
                                    .below = below,
                                    .sleep = sleep_for};
    kill->vfs = disk_vfs_open(&kill->user, VFS_NAME, 1);
    kill_check_begin(kill);
    add_fault(kill);
}

static void kill_close(struct kill *kill) {
    // So that its keys are looked for in what people were told.
    if (kill->output != NULL) {
        const struct buffer *content = disk_content(kill->output);
        buffer_add(&kill->stage.output, content->data, content->size);
    }
    stage_close(&kill->stage);
    disk_vfs_close(kill->vfs);
    disk_free(kill->disk);
    buffer_release(&kill->source);
    buffer_release(&kill->target);
    free(kill->journal_name);
}

// ---- a process

static struct journal_place place_of(const struct kill *kill) {
    return (struct journal_place){.path = kill->journal_name, .vfs = VFS_NAME};
}

static int keep_output(struct kill *kill, const char *name, struct error *error) {
    int result = journal_set_property(kill->stage.journal, "output.path", name, false, error);
    return result != 0 ? result : journal_commit(kill->stage.journal, error);
}

static void open_output(struct kill *kill, const char *name, bool created) {
    kill->output = disk_open(kill->disk, name, created);
    if (created) disk_sync_directory(kill->disk);
    kill->stage.file = disk_output_new(&kill->user, kill->output, NULL, name, created);
}

static int begin_new(struct kill *kill, struct error *error) {
    struct stage *stage = &kill->stage;
    char *name MEMORY_AUTO = memory_printf("output-%u", kill->names);
    free(kill->journal_name);
    kill->journal_name = memory_printf("journal-%u", kill->names++);
    if (stage->there == NULL) open_output(kill, name, true);
    stage->file_size = 0;
    const struct journal_place place = place_of(kill);
    int result = journal_create(&place, &stage->journal, error);
    return result != 0 || stage->there != NULL ? result : keep_output(kill, name, error);
}

// The journal's own output, or a new one.
static int open_output_again(struct kill *kill, struct error *error) {
    struct stage *stage = &kill->stage;
    char *path MEMORY_AUTO = NULL;
    char *name MEMORY_AUTO = memory_printf("output-%u", kill->names++);
    bool own = !kill->played.elsewhere;
    int result = journal_property(stage->journal, "output.path", &path, error);
    if (result != 0) return result;
    if (own && (path == NULL || !disk_exists(kill->disk, path)))
        return error_set(error, ERROR_OUTPUT, "the output is gone");
    open_output(kill, own ? path : name, !own);
    result = output_resume(stage->file, own, stage->target_driver, stage->journal, &stage->file_size, error);
    return result != 0 || own ? result : keep_output(kill, name, error);
}

// A server that has not answered before is not waited for if its first answer does not come: the device is set aside. No
// other lost answer is a reason for that.
static bool may_set_aside(const struct kill *kill) {
    return strstr(kill->played.fault, ":deadline") != NULL;
}

static int retry_failed(struct kill *kill, struct error *error) {
    uint64_t count = 0;
    struct journal *journal = kill->stage.journal;
    int result = journal_change_states(journal, DEVICE_FAILED, DEVICE_PLANNED, &count, error);
    return result != 0 ? result : journal_commit(journal, error);
}

static int begin_again(struct kill *kill, enum stage_kind kind, struct error *error) {
    struct stage *stage = &kill->stage;
    const struct journal_place place = place_of(kill);
    int result = journal_open(&place, true, &stage->journal, error);
    if (result != 0) return result;
    kill_check_journal(kill, stage->journal);
    if (kind == STAGE_BACK) return 0;
    if (may_set_aside(kill)) result = retry_failed(kill, error);
    return result != 0 || stage->there != NULL ? result : open_output_again(kill, error);
}

static int body(struct kill *kill, enum stage_kind kind) {
    struct stage *stage = &kill->stage;
    error_release(&stage->error);
    int result = kind == STAGE_ALL ? begin_new(kill, &stage->error) : begin_again(kill, kind, &stage->error);
    return result != 0 ? result : -stage_play(stage, kind, NULL);
}

// False if it died. Kept apart from everything that has variables.
static bool survives(struct kill *kill, enum stage_kind kind, int *ret_result) {
    if (setjmp(kill->death) != 0) return false;
    *ret_result = body(kill, kind);
    return true;
}

static void end_process(struct kill *kill) {
    struct stage *stage = &kill->stage;
    journal_close(stage->journal);
    stage->journal = NULL;
    if (stage->file != NULL) (void)stage->file->operations->close(stage->file, NULL);
    stage->file = NULL;
}

// One process; `dies_at` 0: to its end, which the journal stays open for. False if it died.
static bool process(struct kill *kill, enum stage_kind kind, uint64_t dies_at, int *ret_result) {
    kill->events = 0;
    kill->dies_at = dies_at;
    kill->running = true;
    bool survived = survives(kill, kind, ret_result);
    kill->running = false;
    kill->numbers->events += kill->events;
    if (survived) return true;
    kill->numbers->deaths++;
    stage_abandon(&kill->stage);
    disk_forget_shared(kill->disk);
    if (kill->played.power) disk_lose_power(kill->disk);
    return false;
}

// ---- a journey

// True if the journal holds something to go on with: an application; of a file, all of its devices.
static bool is_known(struct kill *kill) {
    ERROR_AUTO error = {0};
    char *application MEMORY_AUTO = NULL;
    bool planned = false;
    struct journal *journal = NULL;
    const struct journal_place place = place_of(kill);
    if (!disk_exists(kill->disk, kill->journal_name)) return false;
    bool known = journal_open(&place, false, &journal, &error) == 0 &&
                 journal_application(journal, 0, &application, &error) == 0 && application != NULL;
    if (known && kill->stage.network->text != NULL)
        known = journal_find_application(journal, application, &planned, &error) == 0 && planned;
    journal_close(journal);
    return known;
}

// The end of what people were told; it lies where it is only until the stage is closed.
static const char *last_words(struct kill *kill) {
    enum { SIZE_MAX_TOLD = 300 };
    const char *words = stage_words(&kill->stage);
    size_t size = strlen(words);
    return size > SIZE_MAX_TOLD ? words + size - SIZE_MAX_TOLD : words;
}

// True if the process that has ended has done all that it had to.
static bool ends_well(const struct kill *kill, enum stage_kind kind, int result) {
    uint64_t aside = kind == STAGE_BACK ? 0 : kill->count - kill->wanted->movable;
    return result == 0 && kill->stage.numbers.failed <= aside;
}

// One that dies, or comes to its end before.
static void play_process(struct kill *kill, enum stage_kind kind, uint64_t dies_at) {
    int result = 0;
    if (!process(kill, kind, dies_at, &result)) return;
    if (!ends_well(kill, kind, result) && !may_set_aside(kill))
        kill_violated(kill, "a process that nobody killed does not end well: %s", last_words(kill));
    end_process(kill);
}

// The last processes; the end of them is looked at.
static void play_end(struct kill *kill, enum kill_then then) {
    struct stage *stage = &kill->stage;
    for (int i = 0; i < LAST_TRIES && kill->violation == NULL; i++) {
        int result = 0;
        bool known = is_known(kill);
        // Then nothing was changed.
        if (!known) kill_check_back(kill, NULL);
        if (!known && then == KILL_ROLLBACK) return;
        enum stage_kind kind = !known ? STAGE_ALL : then == KILL_ROLLBACK ? STAGE_BACK : STAGE_AGAIN;
        process(kill, kind, 0, &result);
        bool good = ends_well(kill, kind, result);
        if (good && then == KILL_ROLLBACK) kill_check_back(kill, stage->journal);
        if (good && then == KILL_RESUME) kill_check_resumed(kill, stage->journal);
        char *words MEMORY_AUTO = good ? NULL : memory_strdup(last_words(kill));
        end_process(kill);
        if (good) return;
        if (i + 1 == LAST_TRIES || !may_set_aside(kill))
            kill_violated(kill, "the last process does not end well: %s", words);
    }
}

char *kill_play(const struct kill_case *played, const struct kill_end *wanted, struct kill_numbers *numbers) {
    struct kill *kill = memory_new(struct kill);
    kill->numbers = numbers;
    kill->wanted = wanted;
    numbers->journeys++;
    kill_open(kill, played);
    play_process(kill, STAGE_ALL, played->first);
    if (played->second > 0 && is_known(kill))
        play_process(kill, played->then == KILL_ROLLBACK ? STAGE_BACK : STAGE_AGAIN, played->second);
    if (kill->violation == NULL) play_end(kill, played->then);
    char *violation = kill->violation;
    kill_close(kill);
    free(kill);
    return violation;
}

// ---- one that is not disturbed

// Those that are called for the first time in a rollback say so.
static void take_methods(const struct kill *kill, bool back, struct kill_end *end) {
    const struct world *const worlds[] = {kill->stage.world, kill->stage.there};
    for (size_t side = 0; side < 2 && worlds[side] != NULL; side++) {
        for (size_t i = 0; i < worlds[side]->method_count; i++) {
            const char *name = worlds[side]->methods[i].name;
            size_t known = 0;
            while (known < end->method_count &&
                   (end->methods[known].there != (side == 1) || strcmp(end->methods[known].name, name) != 0))
                known++;
            if (known == end->method_count && known < KILL_METHODS)
                end->methods[end->method_count++] =
                    (struct kill_method){memory_strdup(name), side == 1, back};
        }
    }
}

char *kill_play_calm(const struct kill_case *played, struct kill_end *ret_end, struct kill_numbers *numbers) {
    struct kill *kill = memory_new(struct kill);
    int result = 0;
    kill->numbers = numbers;
    *ret_end = (struct kill_end){0};
    kill_open(kill, played);
    process(kill, STAGE_ALL, 0, &result);
    take_methods(kill, false, ret_end);
    if (result != 0) kill_violated(kill, "the undisturbed run: %s", stage_words(&kill->stage));
    ret_end->events = kill->events;
    if (result == 0) kill_take_end(kill, kill->stage.journal, ret_end);
    if (result == 0 && 2 * ret_end->movable <= kill->count)
        kill_violated(kill, "only %zu devices can go", ret_end->movable);
    end_process(kill);
    if (result == 0) {
        process(kill, STAGE_BACK, 0, &result);
        if (result != 0) kill_violated(kill, "its rollback: %s", stage_words(&kill->stage));
        if (result == 0) kill_check_back(kill, kill->stage.journal);
        ret_end->back_events = kill->events;
        take_methods(kill, true, ret_end);
        end_process(kill);
    }
    char *violation = kill->violation;
    kill_close(kill);
    free(kill);
    return violation;
}

void kill_end_release(struct kill_end *end) {
    buffer_release(&end->lines);
    buffer_release(&end->source);
    buffer_release(&end->target);
    buffer_release(&end->states);
    free(end->arrived);
    for (size_t i = 0; i < end->method_count; i++) free(end->methods[i].name);
}
