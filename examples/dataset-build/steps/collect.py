"""Lists the files of the source, at most `limit`, and notes what is set aside without a look: links, folders that
cannot be read, what is beyond the limit."""

import dataset


def main(values):
    source = dataset.source_folder(values)
    set_aside = []
    files = []
    links = beyond_limit = 0

    def unreadable(path, reason):
        set_aside.append({"path": dataset.to_text(path), "reason": reason})

    for path, is_link in dataset.walk(source, unreadable):
        if is_link:
            links += 1
        elif len(files) < values["limit"]:
            files.append(dataset.to_text(path))
        else:
            beyond_limit += 1
    dataset.write_json(dataset.state_path("collected.json"), {
        "source": dataset.to_text(source), "files": files, "unreadable_folders": set_aside,
        "symbolic_links": links, "beyond_limit": beyond_limit})
    print(f"{len(files)} files, {links} symbolic links not followed, {beyond_limit} beyond the limit")
    return {"files": len(files), "symbolic_links": links, "beyond_limit": beyond_limit,
            "unreadable_folders": len(set_aside)}


dataset.run("collect", main)
