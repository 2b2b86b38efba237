//# decoder
function Decoder(b, port) {
    var flags = b[0];
    return {
        open:     !!(flags & 0x01),
        tamper:   (flags & 0x02) !== 0,
        mode:     (flags >> 2) & 0x07,
        battery:  ((flags >>> 5) / 7 * 100).toFixed(0) + '%'
    };
}
//# up 1 00 => {"battery":"0%","mode":0,"open":false,"tamper":false}
//# up 1 ff => {"battery":"100%","mode":7,"open":true,"tamper":true}
//# up 1 a5 => {"battery":"71%","mode":1,"open":true,"tamper":false}
