"""The files Dutyline adds to a PBX: dialplan and manager user, generated from `ami.names`."""
