//# decoder
function Decoder(bytes, port) { return {}; }
//# validator
function Validator(converted, port) { return converted.missing.length > 0; }
//# up 1 00 => error
