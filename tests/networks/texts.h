// SPDX-License-Identifier: Apache-2.0
// Files of devices as sources read them: the same two devices in each, 70B3D57ED1000001 and 70B3D57ED1000002, which join
// with NETWORK_TEXT_KEY.
#ifndef TESTS_NETWORKS_TEXTS_H
#define TESTS_NETWORKS_TEXTS_H

#define NETWORK_TEXT_KEY "00112233445566778899AABBCCDDEEFF"

#define NETWORK_TEXT_JSON                                                                              \
    "{\"ids\":{\"device_id\":\"one\",\"application_ids\":{\"application_id\":\"my-app\"},"             \
    "\"dev_eui\":\"70B3D57ED1000001\",\"join_eui\":\"70B3D57ED0000000\"},\"supports_join\":true,"      \
    "\"lorawan_version\":\"MAC_V1_0_3\",\"lorawan_phy_version\":\"PHY_V1_0_3_REV_A\","                 \
    "\"frequency_plan_id\":\"EU_863_870_TTN\",\"root_keys\":{\"app_key\":{\"key\":\"" NETWORK_TEXT_KEY \
    "\"}}}\n"                                                                                          \
    "{\"ids\":{\"device_id\":\"two\",\"application_ids\":{\"application_id\":\"my-app\"},"             \
    "\"dev_eui\":\"70B3D57ED1000002\",\"join_eui\":\"70B3D57ED0000000\"},\"supports_join\":true,"      \
    "\"lorawan_version\":\"MAC_V1_0_3\",\"lorawan_phy_version\":\"PHY_V1_0_3_REV_A\","                 \
    "\"frequency_plan_id\":\"EU_863_870_TTN\",\"root_keys\":{\"app_key\":{\"key\":\"" NETWORK_TEXT_KEY \
    "\"}}}\n"

#define NETWORK_TEXT_CSV                                                            \
    "dev_eui,join_eui,app_key\n70B3D57ED1000001,70B3D57ED0000000," NETWORK_TEXT_KEY \
    "\n70B3D57ED1000002,70B3D57ED0000000," NETWORK_TEXT_KEY "\n"

#define NETWORK_TEXT_THINGPARK                                          \
    "CREATE_OTAA,70B3D57ED1000001,,,70B3D57ED0000000," NETWORK_TEXT_KEY \
    "\nCREATE_OTAA,70B3D57ED1000002,,,70B3D57ED0000000," NETWORK_TEXT_KEY "\n"

#define NETWORK_TEXT_HELIUM                                                                                  \
    "[{\"dev_eui\":\"70B3D57ED1000001\",\"app_eui\":\"70B3D57ED0000000\",\"app_key\":\"" NETWORK_TEXT_KEY    \
    "\"},{\"dev_eui\":\"70B3D57ED1000002\",\"app_eui\":\"70B3D57ED0000000\",\"app_key\":\"" NETWORK_TEXT_KEY \
    "\"}]"

#define NETWORK_TEXT_WANESY                                                             \
    "devEui,rfRegion,macVersion,regParamsRevision,activation,appEui,appKey,classType\n" \
    "70B3D57ED1000001,EU868,1.0.3,A,OTAA,70B3D57ED0000000," NETWORK_TEXT_KEY            \
    ",A\n"                                                                              \
    "70B3D57ED1000002,EU868,1.0.3,A,OTAA,70B3D57ED0000000," NETWORK_TEXT_KEY ",A\n"

#endif
