//# decoder
/* The payload is described in the manual, see https://example.com/manual?a=*&b=/ .
 * Ends here: **/
function Decoder(bytes, port) { // port is not used: } { /* not a comment's start
  /* var x = '*\/'; */
  return { text: '*/ not the end /*', slash: "// not a comment", tag: '</script>', re: /[/*]"'/.test('/"\'') }; // }
}
// The last line is a comment without an end of line: </script> */
//# up 1 00 => {"re":true,"slash":"// not a comment","tag":"</script>","text":"*/ not the end /*"}
