//# decoder
function Decoder(bytes, port) {
  var list = [];
  list[0] = bytes[0];
  list[3] = bytes[1];
  return { list: list, length: list.length };
}
//# converter
function Converter(d, port) { return { list: d.list, before: d.length, after: d.list.length }; }
//# up 1 0102 => {"after":2,"before":4,"list":[1,2]}
