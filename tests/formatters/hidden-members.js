//# decoder
function Decoder(bytes, port) {
  var o = { shown: 1 };
  Object.defineProperty(o, 'hidden', { value: 2, enumerable: false });
  return o;
}
//# converter
function Converter(d, port) { return { shown: d.shown, hidden: d.hidden === undefined ? 'gone' : 'there' }; }
//# up 1 00 => {"hidden":"gone","shown":1}
