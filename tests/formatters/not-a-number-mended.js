//# decoder
function Decoder(bytes, port) { return { value: bytes[0] / bytes[1], deep: { inf: 1 / bytes[1] } }; }
//# converter
function Converter(decoded, port) {
  var r = decoded;
  if (isNaN(r.value)) r.value = -1;
  if (r.deep.inf === Infinity) r.deep.inf = 'infinite';
  return r;
}
//# up 1 0000 => {"deep":{"inf":"infinite"},"value":-1}
//# up 1 0402 => {"deep":{"inf":0.5},"value":2}
