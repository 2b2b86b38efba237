//# decoder
function Decoder(bytes, port) {
  var top = {}, at = top;
  for (var i = 0; i < bytes[0]; i++) at = at.next = { i: i };
  return top;
}
//# converter
function Converter(d, port) { d.more = true; return d; }
//# up 1 32 => {"more":true,"next":{"i":0,"next":{"i":1,"next":{"i":2,"next":{"i":3,"next":{"i":4,"next":{"i":5,"next":{"i":6,"next":{"i":7,"next":{"i":8,"next":{"i":9,"next":{"i":10,"next":{"i":11,"next":{"i":12,"next":{"i":13,"next":{"i":14,"next":{"i":15,"next":{"i":16,"next":{"i":17,"next":{"i":18,"next":{"i":19,"next":{"i":20,"next":{"i":21,"next":{"i":22,"next":{"i":23,"next":{"i":24,"next":{"i":25,"next":{"i":26,"next":{"i":27,"next":{"i":28,"next":{"i":29,"next":{"i":30,"next":{"i":31,"next":{"i":32,"next":{"i":33,"next":{"i":34,"next":{"i":35,"next":{"i":36,"next":{"i":37,"next":{"i":38,"next":{"i":39,"next":{"i":40,"next":{"i":41,"next":{"i":42,"next":{"i":43,"next":{"i":44,"next":{"i":45,"next":{"i":46,"next":{"i":47,"next":{"i":48,"next":{"i":49}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}
