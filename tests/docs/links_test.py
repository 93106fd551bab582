"""Links lead somewhere; no page knows the machine that it was written on."""

import re
import unittest

import pages


class Links(unittest.TestCase):
    def test_there_are_pages(self):
        self.assertGreater(len(pages.all_pages()), 20)

    def test_links_resolve(self):
        wrong = []
        for page in pages.all_pages():
            for file, anchor in pages.links(page):
                target = (page.parent / file).resolve() if file else page
                name = f"{page.relative_to(pages.ROOT)} → {file}#{anchor}"
                if not target.exists() or pages.ROOT not in [target, *target.parents]:
                    wrong.append(name)
                elif anchor and anchor not in pages.anchors(target):
                    wrong.append(name)
        self.assertEqual(wrong, [])

    def test_every_page_is_reachable_from_the_readme(self):
        """Design records are found by their number."""
        seen, pending = set(), [pages.ROOT / "README.md"]
        while pending:
            page = pending.pop()
            if page in seen or page.suffix != ".md" or not page.exists():
                continue
            seen.add(page)
            for file, _ in pages.links(page):
                target = (page.parent / file).resolve()
                pending.append(target / "README.md" if target.is_dir() else target)
        lost = [str(page.relative_to(pages.ROOT)) for page in pages.all_pages()
                if page not in seen and page.parent.name != "design"]
        self.assertEqual(lost, [])

    def test_no_machine_paths(self):
        pattern = re.compile(r"(?<![\w.])/(?:(?:work|farm|root)\b|home/(?!ada\b|you\b))[\w./-]*|\.library\b")
        wrong = []
        for page in pages.all_pages():
            for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
                wrong += [f"{page.relative_to(pages.ROOT)}:{number}: {hit.group()}" for hit in pattern.finditer(line)]
        self.assertEqual(wrong, [])


if __name__ == "__main__":
    unittest.main()
