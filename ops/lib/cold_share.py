"""The two halves of ops/cold-share: making the mixed question, and measuring the answers. Python's standard library only."""
import argparse
import collections
import gzip
import json
import os
import random
import sys


def part(folder, name):
    """The objects of a part, plain or compressed; nothing where there is none."""
    for path, opener in ((f"{folder}/{name}.jsonl.gz", gzip.open), (f"{folder}/{name}.jsonl", open)):
        if os.path.exists(path):
            with opener(path, "rt", encoding="utf-8") as lines:
                return [json.loads(line) for line in lines if line.strip()]
    return []


def write(folder, name, objects):
    with open(f"{folder}/{name}.jsonl.gz", "wb") as file, gzip.GzipFile("", "wb", 6, file, 0) as packed:
        for value in objects:
            packed.write((json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n").encode())


def question(options):
    events = part(options.data, "train")
    warm, cold = part(options.data, "warm_items"), part(options.data, "cold_items")
    new = part(options.data, "test_truth")
    if not (events and warm and cold and new):
        sys.exit(f"{options.data} needs warm_items, cold_items, train and test_truth")

    def liked(event):
        return options.liked_from is None or event.get("context", {}).get("rating", options.liked_from) >= options.liked_from

    chance = random.Random(options.seed)
    by_user = collections.defaultdict(list)
    for index, event in enumerate(events):
        if liked(event):
            by_user[event["user_id"]].append(index)
    held, old = set(), {}
    for user in sorted(by_user):
        own = chance.sample(by_user[user], int(len(by_user[user]) * options.hold_back))
        held.update(own)
        old[user] = [events[index]["item_id"] for index in sorted(own)]
    kept = [event for index, event in enumerate(events) if index not in held]
    known = {event["user_id"] for event in kept}
    write(options.output, "train", kept)
    write(options.output, "warm_items", warm)
    write(options.output, "cold_items", cold)
    users = part(options.data, "users")
    if users:
        write(options.output, "users", users)
    with open(f"{options.output}/candidates.txt", "w", encoding="utf-8") as file:
        file.writelines(f"{item['item_id']}\n" for item in warm + cold)
    truth = {line["user_id"]: line["item_ids"] for line in new if line["user_id"] in known}
    write(options.output, "test_truth", [
        {"user_id": user, "item_ids": truth.get(user, []) + old.get(user, []), "new": len(truth.get(user, [])), "old": len(old.get(user, []))}
        for user in sorted(truth)
    ])


def share(options):
    new = {item["item_id"] for item in part(options.data, "cold_items")}
    asked = {line["user_id"]: line for line in part(options.data, "test_truth")}
    places = shown = users = 0
    for line in part(options.data, "answers"):
        own = [item["item_id"] for item in line["items"][: options.list]]
        if line["user_id"] in asked and own:
            users += 1
            places += len(own)
            shown += sum(item in new for item in own)
    relevant_new = sum(line["new"] for line in asked.values())
    relevant_old = sum(line["old"] for line in asked.values()) / options.hold_back
    relevant = relevant_new / max(1, relevant_new + relevant_old)
    in_lists = shown / max(1, places)
    print(json.dumps({
        "users": users, "list": options.list, "new_in_lists": round(in_lists, 4), "new_in_relevant": round(relevant, 4),
        "ratio": round(in_lists / relevant, 4) if relevant else None,
    }))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("step", choices=["question", "share"])
    parser.add_argument("--data", required=True)
    parser.add_argument("--output")
    parser.add_argument("--liked-from", type=float, default=None)
    parser.add_argument("--hold-back", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--list", type=int, default=20)
    options = parser.parse_args()
    (question if options.step == "question" else share)(options)


if __name__ == "__main__":
    main()
