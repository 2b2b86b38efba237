//# decoder
function Decoder(bytes, port) {
  var text = 'a\
b', tab = "\t", uni = "\u2028\u2029", nul = '\x00|';
  return { text: text, tab: tab, uni: uni, length: uni.length, nul: nul, euro: '€', quote: '"\\' }
}
//# up 1 00 => {"euro":"€","length":2,"nul":"\u0000|","quote":"\"\\","tab":"\t","text":"ab","uni":"  "}
