// SPDX-License-Identifier: Apache-2.0
// Which method is served where, what it takes, and who answers it.
#include "world/tts_p.h"

enum { IS = 1 << TTS_IS, NS = 1 << TTS_NS, AS = 1 << TTS_AS, JS = 1 << TTS_JS, ALL = IS | NS | AS | JS };

// clang-format off
const struct tts_method tts_methods[] = {
    {"EndDeviceRegistry", "Create", IS, "CreateEndDeviceRequest", TTS_MASK_IS_UPDATE, "end_device", "ids", tts_is_create, TTS_IS},
    {"EndDeviceRegistry", "Get", IS, "GetEndDeviceRequest", TTS_MASK_IS_GET, NULL, NULL, tts_is_get, TTS_IS},
    {"EndDeviceRegistry", "GetIdentifiersForEUIs", IS, "GetEndDeviceIdentifiersForEUIsRequest", 0, NULL, NULL, tts_is_identifiers, TTS_IS},
    {"EndDeviceRegistry", "List", IS, "ListEndDevicesRequest", TTS_MASK_IS_GET, NULL, NULL, tts_is_list, TTS_IS},
    {"EndDeviceRegistry", "Update", IS, "UpdateEndDeviceRequest", TTS_MASK_IS_UPDATE, "end_device", "ids", tts_is_update, TTS_IS},
    {"EndDeviceRegistry", "Delete", IS, "EndDeviceIdentifiers", 0, NULL, NULL, tts_is_delete, TTS_IS},
    {"EndDeviceBatchRegistry", "Get", IS, "BatchGetEndDevicesRequest", TTS_MASK_IS_GET, NULL, NULL, tts_batch_get, TTS_IS},
    {"EndDeviceBatchRegistry", "Delete", IS, "BatchDeleteEndDevicesRequest", 0, NULL, NULL, tts_batch_delete, TTS_IS},
    {"NsEndDeviceRegistry", "Get", NS, "GetEndDeviceRequest", TTS_MASK_NS_GET, NULL, NULL, tts_registry_get, TTS_NS},
    {"NsEndDeviceRegistry", "Set", NS, "SetEndDeviceRequest", TTS_MASK_NS_SET, "end_device", "ids", tts_ns_set, TTS_NS},
    {"NsEndDeviceRegistry", "Delete", NS, "EndDeviceIdentifiers", 0, NULL, NULL, tts_registry_delete, TTS_NS},
    {"NsEndDeviceBatchRegistry", "Delete", NS, "BatchDeleteEndDevicesRequest", 0, NULL, NULL, tts_batch_delete, TTS_NS},
    {"AsEndDeviceRegistry", "Get", AS, "GetEndDeviceRequest", TTS_MASK_AS_GET, NULL, NULL, tts_registry_get, TTS_AS},
    {"AsEndDeviceRegistry", "Set", AS, "SetEndDeviceRequest", TTS_MASK_AS_SET, "end_device", "ids", tts_as_set, TTS_AS},
    {"AsEndDeviceRegistry", "Delete", AS, "EndDeviceIdentifiers", 0, NULL, NULL, tts_registry_delete, TTS_AS},
    {"AsEndDeviceBatchRegistry", "Delete", AS, "BatchDeleteEndDevicesRequest", 0, NULL, NULL, tts_batch_delete, TTS_AS},
    {"JsEndDeviceRegistry", "Get", JS, "GetEndDeviceRequest", TTS_MASK_JS_GET, NULL, NULL, tts_registry_get, TTS_JS},
    {"JsEndDeviceRegistry", "Set", JS, "SetEndDeviceRequest", TTS_MASK_JS_SET, "end_device", "ids", tts_js_set, TTS_JS},
    {"JsEndDeviceRegistry", "Delete", JS, "EndDeviceIdentifiers", 0, NULL, NULL, tts_registry_delete, TTS_JS},
    {"JsEndDeviceBatchRegistry", "Delete", JS, "BatchDeleteEndDevicesRequest", 0, NULL, NULL, tts_batch_delete, TTS_JS},
    {"ApplicationRegistry", "Create", IS, "CreateApplicationRequest", 0, "application", "ids", tts_application_create, TTS_IS},
    {"ApplicationRegistry", "Get", IS, "GetApplicationRequest", 0, NULL, NULL, tts_application_get, TTS_IS},
    {"ApplicationRegistry", "List", IS, "ListApplicationsRequest", 0, NULL, NULL, tts_application_list, TTS_IS},
    {"ApplicationRegistry", "Update", IS, "UpdateApplicationRequest", 0, "application", "ids", tts_application_update, TTS_IS},
    {"ApplicationAccess", "ListRights", IS, "ApplicationIdentifiers", 0, NULL, NULL, tts_list_rights, TTS_IS},
    {"EntityAccess", "AuthInfo", IS, "Empty", 0, NULL, NULL, tts_auth_info, TTS_IS},
    {"GatewayRegistry", "Create", IS, "CreateGatewayRequest", TTS_MASK_GATEWAY_UPDATE, "gateway", "ids", tts_gateway_create, TTS_IS},
    {"GatewayRegistry", "Get", IS, "GetGatewayRequest", TTS_MASK_GATEWAY_GET, NULL, NULL, tts_gateway_get, TTS_IS},
    {"GatewayRegistry", "List", IS, "ListGatewaysRequest", TTS_MASK_GATEWAY_GET, NULL, NULL, tts_gateway_list, TTS_IS},
    {"GatewayRegistry", "Update", IS, "UpdateGatewayRequest", TTS_MASK_GATEWAY_UPDATE, "gateway", "ids", tts_gateway_update, TTS_IS},
    {"GatewayRegistry", "Delete", IS, "GatewayIdentifiers", 0, NULL, NULL, tts_gateway_delete, TTS_IS},
    {"GatewayAccess", "CreateAPIKey", IS, "CreateGatewayAPIKeyRequest", 0, NULL, NULL, tts_gateway_create_key, TTS_IS},
    {"As", "GetLink", AS, "GetApplicationLinkRequest", TTS_MASK_LINK_GET, NULL, NULL, tts_get_link, TTS_AS},
    {"As", "SetLink", AS, "SetApplicationLinkRequest", TTS_MASK_LINK_SET, "link", NULL, tts_set_link, TTS_AS},
    {"Ns", "GetNetID", NS, "Empty", 0, NULL, NULL, tts_net_id, TTS_NS},
    {"Ns", "GetDeviceAddressPrefixes", NS, "Empty", 0, NULL, NULL, tts_dev_addr_prefixes, TTS_NS},
    {"Ns", "GetDefaultMACSettings", NS, "GetDefaultMACSettingsRequest", 0, NULL, NULL, tts_default_mac_settings, TTS_NS},
    {"Js", "GetJoinEUIPrefixes", JS, "Empty", 0, NULL, NULL, tts_join_eui_prefixes, TTS_JS},
    {"Js", "GetDefaultJoinEUI", JS, "Empty", 0, NULL, NULL, tts_default_join_eui, TTS_JS},
    {"Configuration", "ListFrequencyPlans", ALL, "ListFrequencyPlansRequest", 0, NULL, NULL, tts_list_plans, TTS_IS},
    {"Configuration", "ListBands", ALL, "ListBandsRequest", 0, NULL, NULL, tts_list_bands, TTS_IS},
    {"Configuration", "GetPhyVersions", ALL, "GetPhyVersionsRequest", 0, NULL, NULL, tts_phy_versions, TTS_IS},
};
// clang-format on

const size_t tts_method_count = sizeof tts_methods / sizeof *tts_methods;
