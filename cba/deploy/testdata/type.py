# Runs a command in a terminal of its own and types a line at each prompt. Arguments:
# a JSON list of [prompt, line], then the command. Prints what the terminal shows and
# ends with the command's exit status.
import json, os, pty, sys

script = json.loads(sys.argv[1])
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
shown, searched = b"", 0
while True:
    try:
        chunk = os.read(terminal, 4096)
    except OSError:
        break
    if not chunk:
        break
    shown += chunk
    if script and script[0][0].encode() in shown[searched:]:
        searched = len(shown)
        os.write(terminal, script.pop(0)[1].encode() + b"\n")
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
