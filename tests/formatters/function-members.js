//# decoder
function Decoder(bytes, port) {
  return {
    raw: bytes[0],
    celsius: function () { return this.raw / 2; },
    nested: { f: function () {} }
  };
}
//# converter
function Converter(d, port) {
  return { type: typeof d.celsius, value: d.celsius && d.celsius.call ? 'callable' : 'data', nested: d.nested };
}
//# up 1 2a => {"nested":{"f":{}},"type":"object","value":"data"}
