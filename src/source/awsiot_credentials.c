// SPDX-License-Identifier: Apache-2.0
// Credentials and region as Amazon's own tools find them: in the environment, or in a profile of their two files.
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/memory.h"
#include "source/awsiot_p.h"

enum { FILE_MAX = 1024 * 1024 };

struct profile {
    char *access_key_id;
    char *secret_access_key;
    char *session_token;
    char *region;
    bool found;
    bool indirect;  // its keys come from elsewhere: another profile's role, single sign-on, a program
};

static void profile_release(struct profile *profile) {
    memory_free_secret(profile->access_key_id);
    memory_free_secret(profile->secret_access_key);
    memory_free_secret(profile->session_token);
    free(profile->region);
    *profile = (struct profile){0};
}

#define PROFILE_AUTO __attribute__((cleanup(profile_release))) struct profile

static char *trim(char *text) {
    text += strspn(text, " \t\r");
    size_t size = strlen(text);
    while (size > 0 && strchr(" \t\r", text[size - 1]) != NULL) size--;
    text[size] = '\0';
    return text;
}

// True if the line is the head of the section: "[name]", and in the configuration "[profile name]" too.
static bool is_section(char *line, const char *name) {
    static const char prefix[] = "profile";
    char *end = strchr(line, ']');
    if (end == NULL) return false;
    *end = '\0';
    char *text = trim(line + 1);
    size_t size = sizeof prefix - 1;
    if (strncmp(text, prefix, size) == 0 && (text[size] == ' ' || text[size] == '\t'))
        text = trim(text + size);
    size_t length = strlen(text);
    if (length >= 2 && text[0] == text[length - 1] && strchr("\"'", text[0]) != NULL) {
        text[length - 1] = '\0';
        text++;
    }
    return strcmp(text, name) == 0;
}

static void take_setting(struct profile *profile, const char *name, const char *value) {
    static const char *const indirect[] = {"role_arn", "sso_session", "sso_start_url", "credential_process",
                                           "web_identity_token_file"};
    const struct {
        const char *name;
        char **member;
    } settings[] = {
        {"aws_access_key_id", &profile->access_key_id},
        {"aws_secret_access_key", &profile->secret_access_key},
        {"aws_session_token", &profile->session_token},
        {"region", &profile->region},
    };
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        // What the first file says stands.
        if (strcasecmp(settings[i].name, name) != 0 || *settings[i].member != NULL || *value == '\0')
            continue;
        *settings[i].member = memory_strdup(value);
    }
    for (size_t i = 0; i < sizeof indirect / sizeof *indirect; i++) {
        if (strcasecmp(indirect[i], name) == 0) profile->indirect = true;
    }
}

// Lines that are indented belong to settings of services, which do not matter here.
static void read_settings(struct profile *profile, char *text, const char *name) {
    bool inside = false;
    char *rest = text, *line = NULL;
    while ((line = strsep(&rest, "\n")) != NULL) {
        if (*line == '[') {
            inside = is_section(line, name);
            if (inside) profile->found = true;
            continue;
        }
        char *equals = strchr(line, '=');
        if (!inside || equals == NULL || strchr("#; \t", *line) != NULL) continue;
        *equals = '\0';
        take_setting(profile, trim(line), trim(equals + 1));
    }
}

// The path that the option names, or the usual one; NULL without a home.
static char *path_of(const struct option_values *options, const char *option, const char *usual) {
    const char *path = option_string(options, option), *home = option_string(options, "home");
    if (path != NULL && *path != '\0') return memory_strdup(path);
    return home == NULL || *home == '\0' ? NULL : memory_printf("%s/.aws/%s", home, usual);
}

// A usual file that cannot be read is as if it were not there: what is missing then is told.
static int read_file(struct profile *profile, const struct option_values *options, const char *option,
                     const char *usual, const char *name, struct error *error) {
    char *path MEMORY_AUTO = path_of(options, option, usual);
    const char *named = option_string(options, option);
    ERROR_AUTO failure = {0};
    char *text = NULL;
    size_t size = 0;
    if (path == NULL) return 0;
    if (file_read_all(path, FILE_MAX, &text, &size, &failure) != 0) {
        if (named == NULL || *named == '\0') return 0;
        error_move(error, &failure);
        return error_wrap(error, ERROR_USAGE, "--awsiot.%s", option);
    }
    read_settings(profile, text, name);
    memory_wipe(text, size);
    free(text);
    return 0;
}

static int no_credentials(const struct profile *profile, const char *name, bool named, struct error *error) {
    if (named && !profile->found) {
        error_set(error, ERROR_USAGE, "there is no profile %s in Amazon's files", name);
        error_hint(error,
                   "name another one with --awsiot.profile, or set AWS_ACCESS_KEY_ID and "
                   "AWS_SECRET_ACCESS_KEY");
    } else if (profile->indirect) {
        error_set(error, ERROR_USAGE, "profile %s gets its credentials from elsewhere", name);
        error_hint(error,
                   "let Amazon's tool get them first: eval \"$(aws configure export-credentials "
                   "--profile %s --format env)\"",
                   name);
    } else {
        error_set(error, ERROR_USAGE, "there are no credentials for AWS");
        error_hint(error,
                   "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile of "
                   "~/.aws/credentials with --awsiot.profile");
    }
    return -ERROR_USAGE;
}

// What goes into a header or a host name. The text itself is not told: it may be a secret.
static int check_text(const char *text, const char *what, const char *more, struct error *error) {
    static const char kept[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";
    for (; *text != '\0'; text++) {
        if (strchr(kept, *text) == NULL && strchr(more, *text) == NULL)
            return error_set(error, ERROR_USAGE, "%s holds a character that cannot stand there", what);
    }
    return 0;
}

static int check(const struct awsiot_credentials *credentials, struct error *error) {
    if (credentials->region == NULL) {
        error_set(error, ERROR_USAGE, "the region of AWS is not known");
        error_hint(error, "name it with --awsiot.region, AWS_REGION, or in ~/.aws/config");
        return -ERROR_USAGE;
    }
    int result = check_text(credentials->region, "the region of AWS", "", error);
    if (result == 0) result = check_text(credentials->access_key_id, "the access key ID of AWS", "_", error);
    if (result == 0)
        result = check_text(credentials->secret_access_key, "the secret access key of AWS", "/+=", error);
    if (result == 0 && credentials->session_token != NULL)
        result = check_text(credentials->session_token, "the session token of AWS", "/+=_.", error);
    return result;
}

static bool take_option(char **member, const struct option_values *options, const char *name) {
    const char *text = option_string(options, name);
    if (text == NULL || *text == '\0') return false;
    memory_free_secret(*member);
    *member = memory_strdup(text);
    return true;
}

int awsiot_credentials_open(struct awsiot_credentials *credentials, const struct option_values *options,
                            struct error *error) {
    const char *name = option_string(options, "profile");
    bool named = name != NULL && *name != '\0';
    if (!named) name = "default";
    PROFILE_AUTO profile = {0};
    int result = read_file(&profile, options, "credentials-file", "credentials", name, error);
    if (result == 0) result = read_file(&profile, options, "config-file", "config", name, error);
    if (result != 0) return result;
    bool has_id = take_option(&credentials->access_key_id, options, "access-key-id");
    bool has_key = take_option(&credentials->secret_access_key, options, "secret-access-key");
    if (has_id != has_key)
        return error_set(error, ERROR_USAGE, "of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY one is missing");
    if (has_id) {
        take_option(&credentials->session_token, options, "session-token");
    } else if (profile.access_key_id == NULL || profile.secret_access_key == NULL) {
        return no_credentials(&profile, name, named, error);
    } else {
        credentials->access_key_id = memory_take(profile.access_key_id);
        credentials->secret_access_key = memory_take(profile.secret_access_key);
        credentials->session_token = memory_take(profile.session_token);
    }
    if (!take_option(&credentials->region, options, "region"))
        credentials->region = memory_take(profile.region);
    return check(credentials, error);
}

void awsiot_credentials_release(struct awsiot_credentials *credentials) {
    free(credentials->access_key_id);
    memory_free_secret(credentials->secret_access_key);
    memory_free_secret(credentials->session_token);
    free(credentials->region);
    *credentials = (struct awsiot_credentials){0};
}
