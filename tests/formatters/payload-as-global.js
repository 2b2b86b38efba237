//# decoder
function Decoder(bytes, p) { return { n: payload.length, port: port, first: payload[0] }; }
//# converter
function Converter(d, p) { return { fields: fields.n, port: port }; }
//# up 6 0a0b => {"fields":2,"port":6}
