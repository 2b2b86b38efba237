// SPDX-License-Identifier: Apache-2.0
// The crash matrix: the real program against the real sandbox, ended or failed at every numbered step of a run, of its
// resuming and of its rollback. After that, `resume` has to end where an undisturbed run does, and `rollback` where it
// began.
//
//   pair     from which network to which, and how their worlds are compared       pair.c
//   case     what is disturbed in which story, how, and at which step             case.c
//   stage    a folder, a sandbox and the program in it                            stage.c
//   compare  worlds and lines                                                     compare.c
//   packed   what is packed in a world                                            packed.c
//   play     the stories                                                          play.c
//   main     the cases of the matrix, several at once
#ifndef CRASH_H
#define CRASH_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/error.h"
#include "steps.h"

// ---- pairs

enum { PLACES_MAX = 4, READER_STEPS = 24 };

// A network of the sandbox: an array of devices in what GET /state answers, in any order. Lists end with NULL; a member
// of a member is "outer.inner".
struct crash_place {
    const char *member;       // NULL ends a list of places
    const char *application;  // only its devices; NULL = all
    const char *const *id;    // members that name a device
    // Members that each run makes anew, or a rollback does not bring back.
    const char *const *forgotten;
    // The same of what is packed (the members called ..._hex): numbers of protobuf fields, as "26.3.1", or "ns/26.3.1"
    // where that holds for the member ns only; with "?" behind it, only if it is empty. May be NULL.
    const char *const *forgotten_fields;
    // Members that count downlinks: where a frame may have been answered unseen, one is skipped. May be NULL.
    const char *const *counters;
};

struct crash_pair {
    const char *name;
    const char *const *sandbox;             // its arguments
    const char *const *other;               // those of another one, which is the target; NULL = there is none
    const char *const *run;                 // those of the program
    bool lines;                             // the run writes lines: they are one more place
    bool restores_all;                      // a rollback brings everything back: its exit code is 0, not 3
    struct crash_place places[PLACES_MAX];  // the first one is the source
    bool formatters;                        // applications at the target get payload formatters
    const char *const *keys;                // members of its devices; each key is at one place in the end
    const char *const *own;                 // members of a line that each run draws anew
    // So that nothing is left out: of each combination of these members of a device being set, so many are in the world.
    const char *const *kinds;
    unsigned kinds_least;
};

// Ends with a pair without a name.
extern const struct crash_pair crash_pairs[];

// ---- cases

enum crash_story {
    STORY_RUN,       // a run is disturbed, and resumed; then all is rolled back
    STORY_RESUME,    // a run is killed, its resuming disturbed, and resumed
    STORY_UNDO,      // a run is disturbed, and rolled back at once
    STORY_ROLLBACK,  // a whole run; its rollback is disturbed, and done again
    STORY_PIPE,      // a run into a pipe is disturbed, and resumed into a file
    STORY_READER,    // the reader of the pipe ends after so many bytes
    STORY_COUNT,
};

struct crash_case {
    const struct crash_pair *pair;
    enum crash_story story;
    enum step_fault fault;
    bool from;      // also at all later steps
    uint64_t step;  // 0: nothing is disturbed
};

// PAIR:STORY:FAULT[+]:STEP; the caller frees it.
char *crash_case_text(const struct crash_case *played);
// False if the text is no case.
bool crash_case_parse(const char *text, struct crash_case *ret_case);

// ---- stage

struct crash_tools {
    const char *program;
    const char *sandbox;
    const char *library;  // steps.h
    const char *folder;   // the stages' folders are made in it
    bool verbose;         // tells each command, and the steps of what is disturbed
    bool keep;            // leaves the folder of a case
};

// Where GET /state of the second sandbox is told in that of the first one.
#define CRASH_OTHER "other_devices"

struct stage_sandbox {
    pid_t process;  // 0 = none
    char *http;     // owned; where GET /state is: a port
};

struct stage {
    const struct crash_tools *tools;
    char *folder;  // owned; the current directory, and HOME
    struct stage_sandbox sandbox, other;
    struct buffer variables;    // NAME=VALUE lines for the program
    struct step_counts counts;  // of the last disturbed command
};

// Makes a folder, goes there, and starts the sandbox of the pair. Whatever comes, stage_end is called afterwards.
int stage_begin(struct stage *stage, const struct crash_tools *tools, const struct crash_pair *pair,
                struct error *error);
void stage_end(struct stage *stage);

// What the networks know; the caller releases it.
int stage_world(const struct stage *stage, json_t **ret_world, struct error *error);

struct command {
    const char *const *arguments;        // end with NULL
    const char *output;                  // --output; NULL = none
    const struct crash_case *disturbed;  // NULL: nothing happens to it
    bool piped;                          // standard output is a pipe, else /dev/null
    uint64_t taken;                      // the reader of the pipe ends after so many bytes; 0 = it takes all
};

// Runs the program to its end; standard error is in the file err. *ret_status is its exit code, or 128 + the signal that
// ended it. One that does not end is an error.
int stage_run(struct stage *stage, const struct command *command, int *ret_status, struct error *error);

// True if standard error of the last command holds one of the texts, which end with NULL.
bool stage_told(const char *const *texts);
// The end of it without anything that looks like a key; the caller frees it.
char *stage_complaint(void);
// True if the state folder holds a journal; stage_forget takes away all that a run has left.
bool stage_has_journal(void);
void stage_forget(void);
// Takes a folder away with all that is in it.
void stage_remove(const char *path);

// ---- comparing

extern const char crash_output[];  // the name of the file with the lines

// What was and what has to be.
struct baseline {
    json_t *before;  // world
    json_t *moved;   // world after an undisturbed run
    json_t *lines;   // of that run, without what each run draws anew
    uint64_t bytes;  // of the output
    struct step_counts counts[STORY_COUNT];
};

void baseline_release(struct baseline *baseline);
// The lines of the file: whole, and without what each run draws anew; the caller releases them.
int compare_read_lines(const struct crash_pair *pair, json_t **ret_lines, struct error *error);
// The output holds exactly the baseline's lines.
int compare_lines(const struct crash_pair *pair, const struct baseline *baseline, struct error *error);
// Worlds are the same but for what a pair forgets, and for so many counters that were skipped.
int compare_worlds(const struct crash_pair *pair, const char *what, unsigned skips, const json_t *world,
                   const json_t *wanted, struct error *error);
// Every key that was at the source is at exactly one network, the output being one.
int compare_keys(const struct crash_pair *pair, const json_t *before, const json_t *world,
                 struct error *error);
// There are devices of all kinds.
int compare_kinds(const struct crash_pair *pair, const json_t *before, struct error *error);

// ---- what is packed

// Protobuf's wire format in hex digits as text, without the fields that are forgotten (as in a crash_place); the caller
// frees it.
char *packed_text(const char *hex, const char *const *forgotten);
// Where two such texts differ, for a message: ", field 26.8", or nothing; the caller frees it.
char *packed_difference(const char *one, const char *other);

// ---- playing

enum played { PLAYED, NOT_REACHED, PLAY_FAILED };

// Plays what is undisturbed; *ret_baseline is empty before.
int crash_baseline(const struct crash_tools *tools, const struct crash_pair *pair,
                   struct baseline *ret_baseline, struct error *error);
// Counts the steps of a story: those that are seen if it is played with nothing happening. As they are not always as
// many, the larger number of two counts. STORY_RUN comes before the others.
int crash_count(const struct crash_tools *tools, const struct crash_pair *pair, enum crash_story story,
                struct baseline *baseline, struct error *error);
enum played crash_play(const struct crash_tools *tools, const struct crash_case *played,
                       const struct baseline *baseline, struct error *error);

#endif
