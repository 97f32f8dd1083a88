"""One function per action: ask permission, call the room, write the event, return the record."""
