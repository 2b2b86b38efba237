//# decoder
function decodeUplink(input) { return { data: { v: input.bytes[0], p: input.fPort } }; }
function normalizeUplink(input) { return { data: { air: {} }, errors: ['not asked for'] }; }
function Decoder(bytes, port) { return decodeUplink({ bytes: bytes, fPort: port }).data; }
//# up 5 0c => {"p":5,"v":12}
