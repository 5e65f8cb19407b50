// Reads a JSON list of PowerShell sources on standard input, parses each with
// the grammar of tree-sitter-powershell, and prints for each whether it is free of
// errors and what its commands are: [{ok, commands: [[word, ...], ...]}, ...].
// Words that are sums of strings and numbered characters are given as {value};
// everything else as text.
'use strict'
const path = require('path')
const { Parser, Language } = require('web-tree-sitter')

// value computes a constant, or returns undefined.
function value (node) {
  switch (node.type) {
    case 'verbatim_string_characters':
      return node.text.slice(1, -1).replace(/['\u2018\u2019\u201a\u201b]{2}/g, q => q[0])
    case 'expression_with_unary_operator': {
      const match = /^\[char\](\d+)$/.exec(node.text)
      return match ? String.fromCharCode(Number(match[1])) : undefined
    }
    case 'additive_expression':
      if (node.childCount === 3 && node.child(1).type === '+') {
        const left = value(node.child(0))
        const right = value(node.child(2))
        return left === undefined || right === undefined ? undefined : left + right
      }
  }
  const inner = node.type === 'parenthesized_expression' ? node.namedChildren : node.children
  return inner.length === 1 ? value(inner[0]) : undefined
}

function commands (node, found) {
  if (node.type === 'command') {
    const words = [node.childForFieldName('command_name').text]
    const elements = node.childForFieldName('command_elements')
    for (const element of elements ? elements.namedChildren : []) {
      if (element.type === 'command_argument_sep') continue
      const constant = value(element)
      words.push(constant === undefined ? element.text : { value: constant })
    }
    found.push(words)
  }
  for (const child of node.children) commands(child, found)
  return found
}

async function main () {
  await Parser.init()
  const wasm = path.join(path.dirname(require.resolve('tree-sitter-powershell/package.json')), 'tree-sitter-powershell.wasm')
  const parser = new Parser()
  parser.setLanguage(await Language.load(wasm))
  const sources = JSON.parse(require('fs').readFileSync(0, 'utf8'))
  const out = sources.map(source => {
    const tree = parser.parse(source)
    const answer = { ok: !tree.rootNode.hasError, commands: commands(tree.rootNode, []) }
    tree.delete()
    return answer
  })
  process.stdout.write(JSON.stringify(out))
}
main().catch(error => { console.error(error); process.exit(1) })
