// SPDX-License-Identifier: Apache-2.0
// EUIs, addresses, keys and versions as people and servers write them.
#include <string.h>

#include "fuzz.h"
#include "lorawan/identifiers.h"
#include "lorawan/versions.h"

static void check_identifiers(const char *text) {
    struct eui64 eui, eui_again;
    char eui_text[EUI64_TEXT_SIZE];
    if (eui64_parse(text, &eui)) {
        fuzz_check(eui64_parse(eui64_format(&eui, eui_text), &eui_again) && eui64_equal(&eui, &eui_again));
    }
    struct dev_addr address;
    char address_text[DEV_ADDR_TEXT_SIZE];
    if (dev_addr_parse(text, &address)) {
        fuzz_check(strcasecmp(dev_addr_format(&address, address_text), text) == 0);
    }
    struct net_id net;
    char net_text[NET_ID_TEXT_SIZE];
    if (net_id_parse(text, &net)) fuzz_check(strcasecmp(net_id_format(&net, net_text), text) == 0);
    struct key128 key;
    char key_text[KEY128_TEXT_SIZE];
    if (key128_parse(text, &key)) fuzz_check(strcasecmp(key128_reveal(&key, key_text), text) == 0);
}

static void check_versions(const char *text) {
    enum mac_version mac, mac_again;
    if (mac_version_parse(text, &mac)) {
        fuzz_check(mac_version_parse(mac_version_name(mac), &mac_again) && mac == mac_again);
    }
    enum phy_version phy, phy_again;
    if (phy_version_parse(text, &phy)) {
        fuzz_check(phy_version_parse(phy_version_name(phy), &phy_again) && phy == phy_again);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = fuzz_string(data, size);
    check_identifiers(text);
    check_versions(text);
    free(text);
    return 0;
}
