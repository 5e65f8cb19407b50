# Prints the commands of answer files as JSON: for each file named on the
# command line, the list of [pass, component, architecture, order, action, command].
import json, sys
import xml.etree.ElementTree as ET

U = "{urn:schemas-microsoft-com:unattend}"
ACTION = "{http://schemas.microsoft.com/WMIConfig/2002/State}action"
files = []
for name in sys.argv[1:]:
    found = []
    root = ET.parse(name).getroot()
    assert root.tag == U + "unattend", root.tag
    for settings in root.findall(U + "settings"):
        for component in settings.findall(U + "component"):
            for path in ("RunSynchronous/RunSynchronousCommand/Path", "FirstLogonCommands/SynchronousCommand/CommandLine"):
                outer, middle, line = path.split("/")
                for command in component.findall(U + outer + "/" + U + middle):
                    found.append([settings.get("pass"), component.get("name"), component.get("processorArchitecture"),
                                  int(command.findtext(U + "Order")), command.get(ACTION), command.findtext(U + line).strip()])
    files.append(found)
json.dump(files, sys.stdout)
