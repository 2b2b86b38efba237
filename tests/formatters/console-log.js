//# decoder
function Decoder(bytes, port) {
  console.log('got ' + bytes.length + ' bytes on', port, bytes);
  return { n: bytes.length };
}
//# converter
function Converter(d, port) { console.log(d); d.m = d.n * 2; return d; }
//# validator
function Validator(d, port) { if (d.n > 2) console.log('too many'); return d.n <= 2; }
//# encoder
function Encoder(o, port) { console.log(JSON.stringify(o)); return [o.v]; }
//# up 1 0102 => {"m":4,"n":2}
//# up 1 010203 => refused
//# down 1 {"v":3} => {"bytes":[3],"fPort":1}
