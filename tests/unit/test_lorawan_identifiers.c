// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs those before it.
#include <cmocka.h>

#include "lorawan/identifiers.h"
#include "lorawan/versions.h"

static void test_eui(void **unused) {
    (void)unused;
    static const char *const good[] = {"70B3D57ED0001234", "70b3d57ed0001234", "70-B3-D5-7E-D0-00-12-34",
                                       "70:b3:d5:7e:d0:00:12:34"};
    static const char *const bad[] = {"",
                                      "70B3D57ED000123",
                                      "70B3D57ED00012345",
                                      "70B3D57ED000123G",
                                      " 70B3D57ED0001234",
                                      "70-B3-D5-7E-D0-00-12:34",
                                      "70-B3-D5-7E-D0-00-1234",
                                      "7-0B-3D-57-ED-00-01-234",
                                      "70.B3.D5.7E.D0.00.12.34"};
    char text[EUI64_TEXT_SIZE];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct eui64 eui = {0};
        assert_true(eui64_parse(good[i], &eui));
        assert_string_equal(eui64_format(&eui, text), "70B3D57ED0001234");
        assert_int_equal(eui.bytes[0], 0x70);
        assert_false(eui64_is_zero(&eui));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct eui64 eui = {{1, 2, 3}}, same = eui;
        assert_false(eui64_parse(bad[i], &eui));
        assert_true(eui64_equal(&eui, &same));
    }
    assert_true(eui64_is_zero(&(struct eui64){0}));
}

static void test_other_identifiers(void **unused) {
    (void)unused;
    struct dev_addr address;
    struct net_id id;
    char text[DEV_ADDR_TEXT_SIZE];
    assert_true(dev_addr_parse("26011abc", &address));
    assert_string_equal(dev_addr_format(&address, text), "26011ABC");
    assert_false(dev_addr_parse("26011abc0", &address));
    assert_false(dev_addr_is_zero(&address));
    assert_true(dev_addr_is_zero(&(struct dev_addr){0}));
    assert_true(net_id_parse("000013", &id));
    assert_string_equal(net_id_format(&id, text), "000013");
    assert_false(net_id_parse("13", &id));
    assert_false(net_id_is_zero(&id));
    assert_true(net_id_is_zero(&(struct net_id){0}));
}

static void test_key(void **unused) {
    (void)unused;
    KEY128_AUTO key = {0};
    KEY128_AUTO other = {0};
    char text[KEY128_TEXT_SIZE];
    assert_true(key128_is_zero(&key));
    assert_true(key128_equal(&key, &other));
    assert_true(key128_parse("000102030405060708090a0b0c0d0e0f", &key));
    assert_string_equal(key128_reveal(&key, text), "000102030405060708090A0B0C0D0E0F");
    assert_false(key128_equal(&key, &other));
    assert_false(key128_is_zero(&key));
    assert_false(key128_parse("000102030405060708090a0b0c0d0e", &key));
    key128_wipe(&key);
    assert_true(key128_is_zero(&key));
    key128_wipe(NULL);
}

static void test_mac_versions(void **unused) {
    (void)unused;
    static const struct {
        const char *text;
        enum mac_version version;
    } good[] = {
        {"MAC_V1_0", MAC_V1_0},     {"1.0", MAC_V1_0},      {"1.0.0", MAC_V1_0},   {"V1_0", MAC_V1_0},
        {"mac_v1_0_1", MAC_V1_0_1}, {"1.0.1", MAC_V1_0_1},  {"1.0.2", MAC_V1_0_2}, {"V1_0_2", MAC_V1_0_2},
        {"1.0.3", MAC_V1_0_3},      {"v1.0.3", MAC_V1_0_3}, {"1.0.4", MAC_V1_0_4}, {"1.1", MAC_V1_1},
        {"1.1.0", MAC_V1_1},        {"MAC_V1_1", MAC_V1_1},
    };
    static const char *const bad[] = {"",       "unknown", "MAC_UNKNOWN",
                                      "1",      "1.0.5",   "2.0",
                                      "1.0.2b", "MAC",     "1.0.2 and much more text than any version has"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        enum mac_version version = MAC_UNKNOWN;
        assert_true(mac_version_parse(good[i].text, &version));
        assert_int_equal(version, good[i].version);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        enum mac_version version = MAC_V1_0_4;
        assert_false(mac_version_parse(bad[i], &version));
        assert_int_equal(version, MAC_V1_0_4);
    }
    for (int i = 1; i < MAC_VERSION_COUNT; i++) {
        enum mac_version version = MAC_UNKNOWN;
        assert_true(mac_version_parse(mac_version_name((enum mac_version)i), &version));
        assert_int_equal(version, i);
        assert_true(mac_version_parse(mac_version_text((enum mac_version)i), &version));
        assert_int_equal(version, i);
    }
    assert_null(mac_version_name(MAC_VERSION_COUNT));
    assert_string_equal(mac_version_name(MAC_UNKNOWN), "MAC_UNKNOWN");
    assert_string_equal(mac_version_text((enum mac_version)77), "unknown");
}

static void test_mac_version_order(void **unused) {
    (void)unused;
    static const enum mac_version rising[] = {MAC_UNKNOWN, MAC_V1_0,   MAC_V1_0_1, MAC_V1_0_2,
                                              MAC_V1_0_3,  MAC_V1_0_4, MAC_V1_1};
    for (size_t i = 0; i + 1 < sizeof rising / sizeof *rising; i++) {
        assert_true(mac_version_compare(rising[i], rising[i + 1]) < 0);
        assert_true(mac_version_compare(rising[i + 1], rising[i]) > 0);
        assert_int_equal(mac_version_compare(rising[i], rising[i]), 0);
    }
}

static void test_phy_versions(void **unused) {
    (void)unused;
    static const struct {
        const char *text;
        enum phy_version version;
    } good[] = {
        {"PHY_V1_0", PHY_V1_0},
        {"TS001_V1_0", PHY_V1_0},
        {"1.0", PHY_V1_0},
        {"TS001_V1_0_1", PHY_V1_0_1},
        {"1.0.1", PHY_V1_0_1},
        {"PHY_V1_0_2_REV_A", PHY_V1_0_2_REV_A},
        {"RP001_V1_0_2", PHY_V1_0_2_REV_A},
        {"1.0.2", PHY_V1_0_2_REV_A},
        {"1.0.2-a", PHY_V1_0_2_REV_A},
        {"1.0.2a", PHY_V1_0_2_REV_A},
        {"V1_0_2_REV_B", PHY_V1_0_2_REV_B},
        {"RP001_V1_0_2_REV_B", PHY_V1_0_2_REV_B},
        {"1.0.2-b", PHY_V1_0_2_REV_B},
        {"1.0.2 rev B", PHY_V1_0_2_REV_B},
        {"1.0.3", PHY_V1_0_3_REV_A},
        {"1.0.3-a", PHY_V1_0_3_REV_A},
        {"rp001_v1_0_3_rev_a", PHY_V1_0_3_REV_A},
        {"1.1.0-a", PHY_V1_1_REV_A},
        {"1.1-b", PHY_V1_1_REV_B},
        {"RP002_V1_0_0", RP002_V1_0_0},
        {"RP002-1.0.1", RP002_V1_0_1},
        {"rp002-1.0.4", RP002_V1_0_4},
    };
    static const char *const bad[] = {"", "PHY_UNKNOWN", "1.1", "1.0.3-b", "1.0.4", "RP002", "RP003_V1_0_0"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        enum phy_version version = PHY_UNKNOWN;
        assert_true(phy_version_parse(good[i].text, &version));
        assert_int_equal(version, good[i].version);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        enum phy_version version = PHY_V1_1_REV_A;
        assert_false(phy_version_parse(bad[i], &version));
        assert_int_equal(version, PHY_V1_1_REV_A);
    }
    for (int i = 1; i < PHY_VERSION_COUNT; i++) {
        enum phy_version version = PHY_UNKNOWN;
        assert_true(phy_version_parse(phy_version_name((enum phy_version)i), &version));
        assert_int_equal(version, i);
        assert_true(phy_version_parse(phy_version_text((enum phy_version)i), &version));
        assert_int_equal(version, i);
    }
    assert_null(phy_version_name(PHY_VERSION_COUNT));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_eui),          cmocka_unit_test(test_other_identifiers),
        cmocka_unit_test(test_key),          cmocka_unit_test(test_mac_versions),
        cmocka_unit_test(test_phy_versions), cmocka_unit_test(test_mac_version_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
