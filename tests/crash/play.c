// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "crash.h"

enum { EXIT_DONE, EXIT_HALTED, EXIT_INCOMPLETE = 3, EXIT_KILLED = 128 + SIGKILL };

static const char *const resume[] = {"resume", NULL};
static const char *const rollback[] = {"rollback", NULL};

// What a message says of a fault: the system's words, SQLite's, or the advice.
static const char *const reasons[FAULT_COUNT][5] = {
    [FAULT_ENOSPC] = {"No space left on device", "disk is full", "the disk is full or failing", NULL},
    [FAULT_EDQUOT] = {"Disk quota exceeded", "the disk is full or failing", NULL},
    [FAULT_EIO] = {"Input/output error", "the disk is full or failing", NULL},
    [FAULT_EPIPE] = {"Broken pipe", NULL},
};

// One case while it is played.
struct play {
    struct stage stage;
    const struct crash_case *played;
    const struct baseline *baseline;
};

static const struct crash_pair *pair_of(const struct play *play) {
    return play->played->pair;
}

// Only lines have a place to go to.
static const char *output_of(const struct play *play) {
    return pair_of(play)->lines ? crash_output : NULL;
}

static int unexpected(const char *what, int status, struct error *error) {
    char *complaint MEMORY_AUTO = stage_complaint();
    return error_set(error, ERROR_REFUSED, "%s: exit code %d: %s", what, status, complaint);
}

// Runs what has to end well.
static int run_well(struct play *play, const char *const *arguments, const char *output,
                    struct error *error) {
    const struct command command = {.arguments = arguments, .output = output};
    int status = 0;
    int result = stage_run(&play->stage, &command, &status, error);
    if (result != 0 || status == EXIT_DONE) return result;
    bool imperfect = arguments == rollback && !pair_of(play)->restores_all && status == EXIT_INCOMPLETE;
    return imperfect ? 0 : unexpected(arguments[0], status, error);
}

// ---- what has to be in the end

static int check_moved(struct play *play, struct error *error) {
    const struct baseline *baseline = play->baseline;
    json_t *world = NULL;
    int result = stage_world(&play->stage, &world, error);
    if (result == 0) result = compare_lines(pair_of(play), baseline, error);
    if (result == 0)
        result =
            compare_worlds(pair_of(play), "in the end", pair_of(play)->skips, world, baseline->moved, error);
    if (result == 0) result = compare_keys(pair_of(play), baseline->before, world, error);
    json_decref(world);
    return result;
}

static int check_back(struct play *play, struct error *error) {
    json_t *world = NULL;
    // The way there may have skipped some, and the way back others.
    unsigned skips = 2 * pair_of(play)->skips;
    int result = stage_world(&play->stage, &world, error);
    if (result == 0)
        result = compare_worlds(pair_of(play), "rolled back", skips, world, play->baseline->before, error);
    json_decref(world);
    return result;
}

// Nothing at all was changed, not even what a comparison forgets.
static int check_untouched(struct play *play, struct error *error) {
    json_t *world = NULL;
    int result = stage_world(&play->stage, &world, error);
    for (size_t i = 0; result == 0 && i < PLACES_MAX && pair_of(play)->places[i].member != NULL; i++) {
        const char *member = pair_of(play)->places[i].member;
        if (!json_equal(json_object_get(world, member), json_object_get(play->baseline->before, member)))
            result = error_set(error, ERROR_INPUT, "the run cannot be resumed, but has changed something");
    }
    json_decref(world);
    return result;
}

// ---- the disturbed command

static bool kills(enum step_fault fault) {
    return fault == FAULT_KILL || fault == FAULT_KILL_HALF;
}

// A command that did not end well has to tell why.
static int check_end(const struct play *play, int status, struct error *error) {
    const struct crash_case *played = play->played;
    bool struck = play->stage.counts.struck > 0;
    if (status == EXIT_KILLED && struck && kills(played->fault)) return 0;
    if (kills(played->fault) && struck) return unexpected("a killed process", status, error);
    bool ends_well = status == EXIT_DONE || (played->story == STORY_ROLLBACK && status == EXIT_INCOMPLETE);
    if (ends_well) return 0;
    static const char *const closed[] = {"Broken pipe", NULL};
    bool reader = played->story == STORY_READER;
    if (!struck && !reader) return unexpected("although nothing happened", status, error);
    // A connection that breaks is made again.
    if (played->fault == FAULT_EPIPE_SEND) return unexpected("one connection broke", status, error);
    if (status != EXIT_HALTED && status != EXIT_INCOMPLETE) return unexpected("disturbed", status, error);
    if (!stage_told(reader ? closed : reasons[played->fault]))
        return unexpected("does not tell what failed", status, error);
    return 0;
}

// Plays the command with the fault. *ret_whole: it has ended well nevertheless.
static int disturb(struct play *play, const struct command *command, bool *ret_whole, struct error *error) {
    struct command disturbed = *command;
    disturbed.disturbed = play->played;
    int status = 0;
    int result = stage_run(&play->stage, &disturbed, &status, error);
    if (result == 0) result = check_end(play, status, error);
    bool rollback_done = play->played->story == STORY_ROLLBACK && status == EXIT_INCOMPLETE;
    *ret_whole = status == EXIT_DONE || rollback_done;
    if (result != 0) error_wrap(error, ERROR_NONE, "the disturbed command");
    return result;
}

// ---- bringing it to its end

// A run that ended before its devices were known is begun anew.
static int begin_anew(struct play *play, struct error *error) {
    int result = check_untouched(play, error);
    if (result != 0) return result;
    stage_forget();
    return run_well(play, pair_of(play)->run, output_of(play), error);
}

static int finish(struct play *play, const char *output, struct error *error) {
    static const char *const nothing_begun[] = {"before its devices were known", "is not complete", NULL};
    if (!stage_has_journal()) return begin_anew(play, error);
    const struct command command = {.arguments = resume, .output = output};
    int status = 0;
    int result = stage_run(&play->stage, &command, &status, error);
    if (result != 0 || status == EXIT_DONE) return result;
    if (status != EXIT_HALTED || !stage_told(nothing_begun)) return unexpected("resume", status, error);
    return begin_anew(play, error);
}

// ---- the stories

static int play_run(struct play *play, struct error *error) {
    const struct command run = {.arguments = pair_of(play)->run, .output = output_of(play)};
    bool whole = false;
    int result = disturb(play, &run, &whole, error);
    if (result == 0 && !whole) result = finish(play, NULL, error);
    if (result == 0) result = check_moved(play, error);
    // What an error leaves behind is the same as what a kill does.
    if (result != 0 || !kills(play->played->fault)) return result;
    result = run_well(play, rollback, NULL, error);
    return result != 0 ? result : check_back(play, error);
}

// Half of a run.
static int begin_run(struct play *play, struct error *error) {
    const struct crash_case half = {
        .pair = pair_of(play),
        .story = STORY_RUN,
        .fault = FAULT_KILL,
        .step = play->baseline->counts[STORY_RUN].steps[FAULT_KILL] / 2,
    };
    const struct command run = {
        .arguments = pair_of(play)->run, .output = output_of(play), .disturbed = &half};
    int status = 0;
    int result = stage_run(&play->stage, &run, &status, error);
    if (result == 0 && status != EXIT_KILLED) result = unexpected("half of a run", status, error);
    return result;
}

static int play_resume(struct play *play, struct error *error) {
    const struct command again = {.arguments = resume};
    bool whole = false;
    int result = begin_run(play, error);
    if (result == 0) result = disturb(play, &again, &whole, error);
    if (result == 0 && !whole) result = finish(play, NULL, error);
    return result != 0 ? result : check_moved(play, error);
}

static int play_undo(struct play *play, struct error *error) {
    static const char *const nothing_begun[] = {"is not complete", NULL};
    const struct command run = {.arguments = pair_of(play)->run, .output = output_of(play)};
    const struct command back = {.arguments = rollback};
    bool whole = false;
    int status = 0;
    int result = disturb(play, &run, &whole, error);
    if (result == 0 && !stage_has_journal()) return check_untouched(play, error);
    if (result == 0) result = stage_run(&play->stage, &back, &status, error);
    if (result != 0) return result;
    if (status == EXIT_HALTED && stage_told(nothing_begun)) return check_untouched(play, error);
    if (status != EXIT_DONE && (status != EXIT_INCOMPLETE || pair_of(play)->restores_all))
        return unexpected("rollback", status, error);
    return check_back(play, error);
}

static int play_rollback(struct play *play, struct error *error) {
    const struct command back = {.arguments = rollback};
    bool whole = false;
    int result = run_well(play, pair_of(play)->run, output_of(play), error);
    if (result == 0) result = disturb(play, &back, &whole, error);
    if (result == 0 && !whole) result = run_well(play, rollback, NULL, error);
    return result != 0 ? result : check_back(play, error);
}

// The lines that went into the pipe are lost: all are written again.
static int play_pipe(struct play *play, struct error *error) {
    struct command run = {.arguments = pair_of(play)->run, .piped = true};
    bool whole = false;
    if (play->played->story == STORY_READER && play->played->step > 0)
        run.taken = 1 + (play->played->step - 1) * play->baseline->bytes / READER_STEPS;
    int result = disturb(play, &run, &whole, error);
    if (result == 0) result = finish(play, crash_output, error);
    return result != 0 ? result : check_moved(play, error);
}

static int play_story(struct play *play, struct error *error) {
    static int (*const stories[STORY_COUNT])(struct play *, struct error *) = {
        [STORY_RUN] = play_run,           [STORY_RESUME] = play_resume, [STORY_UNDO] = play_undo,
        [STORY_ROLLBACK] = play_rollback, [STORY_PIPE] = play_pipe,     [STORY_READER] = play_pipe,
    };
    return stories[play->played->story](play, error);
}

enum played crash_play(const struct crash_tools *tools, const struct crash_case *played,
                       const struct baseline *baseline, struct error *error) {
    struct play play = {.played = played, .baseline = baseline};
    int result = stage_begin(&play.stage, tools, played->pair, error);
    if (result == 0) result = play_story(&play, error);
    bool reached = played->story == STORY_READER || play.stage.counts.struck > 0;
    stage_end(&play.stage);
    if (result != 0) return PLAY_FAILED;
    return reached ? PLAYED : NOT_REACHED;
}

// ---- what is not disturbed

static int begin_baseline(struct play *play, struct baseline *baseline, struct error *error) {
    const struct crash_pair *pair = pair_of(play);
    const struct command run = {.arguments = pair->run, .output = output_of(play)};
    int status = 0;
    struct stat output = {0};
    int result = stage_world(&play->stage, &baseline->before, error);
    if (result == 0) result = compare_kinds(pair, baseline->before, error);
    if (result == 0) result = stage_run(&play->stage, &run, &status, error);
    if (result == 0 && status != EXIT_DONE) result = unexpected("the undisturbed run", status, error);
    if (result == 0) result = stage_world(&play->stage, &baseline->moved, error);
    if (result == 0 && pair->lines) result = compare_read_lines(pair, &baseline->lines, error);
    if (result == 0) result = check_moved(play, error);
    if (pair->lines && stat(crash_output, &output) == 0) baseline->bytes = (uint64_t)output.st_size;
    return result;
}

int crash_count(const struct crash_tools *tools, const struct crash_pair *pair, enum crash_story story,
                struct baseline *baseline, struct error *error) {
    const struct crash_case played = {.pair = pair, .story = story, .fault = FAULT_ENOSPC};
    struct step_counts *counts = &baseline->counts[story];
    if (story == STORY_READER) {
        counts->steps[FAULT_EPIPE] = READER_STEPS;
        return 0;
    }
    int result = 0;
    for (int round = 0; result == 0 && round < 2; round++) {
        struct play play = {.played = &played, .baseline = baseline};
        result = stage_begin(&play.stage, tools, pair, error);
        if (result == 0) result = play_story(&play, error);
        for (int i = 0; i < FAULT_COUNT; i++) {
            if (play.stage.counts.steps[i] > counts->steps[i]) counts->steps[i] = play.stage.counts.steps[i];
        }
        stage_end(&play.stage);
    }
    if (result != 0) error_wrap(error, ERROR_NONE, "with nothing happening");
    return result;
}

int crash_baseline(const struct crash_tools *tools, const struct crash_pair *pair,
                   struct baseline *ret_baseline, struct error *error) {
    const struct crash_case undisturbed = {.pair = pair, .story = STORY_RUN};
    struct play play = {.played = &undisturbed, .baseline = ret_baseline};
    int result = stage_begin(&play.stage, tools, pair, error);
    if (result == 0) result = begin_baseline(&play, ret_baseline, error);
    stage_end(&play.stage);
    return result;
}
