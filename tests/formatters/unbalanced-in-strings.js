//# decoder
function Decoder(bytes, port) {
  var open = '{ { (', close = "} )";
  var re = /[{(]/g;
  return { opens: (open + close).match(re).length, raw: '}});' };
}
//# up 1 00 => {"opens":3,"raw":"}});"}
