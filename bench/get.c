// SPDX-License-Identifier: Apache-2.0
// Prints what lies at a URL: the state of the sandbox.
#include <curl/curl.h>
#include <stdio.h>

int main(int argument_count, char **arguments) {
    if (argument_count != 2) {
        fprintf(stderr, "usage: get URL\n");
        return 2;
    }
    CURL *curl = curl_easy_init();
    if (!curl) return 1;
    curl_easy_setopt(curl, CURLOPT_URL, arguments[1]);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    CURLcode result = curl_easy_perform(curl);
    curl_easy_cleanup(curl);
    if (result == CURLE_OK) return 0;
    fprintf(stderr, "%s: %s\n", arguments[1], curl_easy_strerror(result));
    return 1;
}
