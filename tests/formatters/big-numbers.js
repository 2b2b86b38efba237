//# decoder
function Decoder(bytes, port) {
  var n = 0;
  for (var i = 0; i < bytes.length; i++) n = n * 256 + bytes[i];
  return { n: n, min: Number.MIN_VALUE, neg: -n, bits: n & 0xffff, big: n * 1e15 };
}
//# up 1 0fffffffffffff => {"big":4.503599627370495e+30,"bits":65535,"min":5e-324,"n":4503599627370495,"neg":-4503599627370495}
//# up 1 01 => {"big":1000000000000000,"bits":1,"min":5e-324,"n":1,"neg":-1}
