//# decoder
function Decoder(bytes, port) { return { value: null, inner: { also: null, list: [null, 1] } }; }
//# converter
function Converter(decoded, port) { decoded.seen = decoded.value === undefined; return decoded; }
//# up 1 00 => {"inner":{"also":null,"list":[null,1]},"seen":true,"value":null}
