//# decoder
var TABLE = { 1: 'on', 0: 'off' }, VERSION = 1;
var Decoder = function (bytes, port) { return { state: TABLE[bytes[0]], version: VERSION }; };
//# converter
var TABLE = { on: 1, off: 0 }, VERSION = 2;
var Converter = function (decoded, port) { return { value: TABLE[decoded.state], version: decoded.version * 10 + VERSION }; };
//# up 1 01 => {"value":1,"version":12}
//# up 1 00 => {"value":0,"version":12}
//# up 1 07 => {"version":12}
