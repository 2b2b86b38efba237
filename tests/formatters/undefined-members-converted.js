//# decoder
function Decoder(bytes, port) { return { a: bytes[0], b: bytes[1], n: null }; }
//# converter
function Converter(decoded, port) {
  var names = [];
  for (var k in decoded) names.push(k);
  return { names: names.sort().join(','), hasB: 'b' in decoded, hasN: decoded.hasOwnProperty('n'), n: decoded.n, typeN: typeof decoded.n, isNull: decoded.n === null };
}
//# up 1 01 => {"hasB":false,"hasN":true,"isNull":false,"names":"a,n","typeN":"undefined"}
//# up 1 0102 => {"hasB":true,"hasN":true,"isNull":false,"names":"a,b,n","typeN":"undefined"}
