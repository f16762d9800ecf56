"""A picture with its walk-through: every scene in the markup, for a script to go through one by one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from derive.sheets.blocks import Picture, Scene, Walk
from derive.sheets.html_blocks import equations, text

_IDS = re.compile(r'(\bid="|url\(#|href="#)([\w-]+)')
HEADS = {"forward": "Forward", "backward": "Backward"}


def picture(block: Picture, name: str, level: int) -> Iterator[str]:
    """A figure, and below it the scenes of its walk, one below the other."""
    if not block.walks:
        yield from _figure(block, name, block.svg)
        return
    first, *others = block.walks
    yield f'<section class="walk" id="{name}-walk" aria-label="Walk-through">'
    yield '<div class="stage">'
    yield from _figure(block, name, first.svg)
    yield _controls(block, name)
    yield "</div>"
    yield '<details class="scenes" open><summary>All steps</summary>'
    yield f'<div class="scene-list">{_scenes(first, level)}</div></details>'
    for walk in others:
        markup = (
            f'<div class="picture">{_own(walk.svg, name)}</div><div class="scene-list">{_scenes(walk, level)}</div>'
        )
        yield f'<template data-name="{escape(walk.name, quote=True)}">{markup}</template>'
    yield "</section>"


def _figure(block: Picture, name: str, svg: str) -> Iterator[str]:
    yield f'<figure><div class="picture">{_own(svg, name) if svg else _plain(block)}</div>'
    yield f"<figcaption>{text(block.caption)}</figcaption></figure>" if block.caption else "</figure>"


def _own(svg: str, name: str) -> str:
    """The picture with ids that no other picture of the page has."""
    return _IDS.sub(lambda found: f"{found[1]}{name}-{found[2]}", svg)


def _plain(block: Picture) -> str:
    return (
        f'<pre role="img" aria-label="{escape(block.alternative, quote=True)}">{escape(block.text, quote=False)}</pre>'
    )


def _scenes(walk: Walk, level: int) -> str:
    """All scenes, forward and backward each under its heading."""
    out, count = [], len(walk.scenes)
    for phase, head in HEADS.items():
        mine = [(k, scene) for k, scene in enumerate(walk.scenes, 1) if scene.phase == phase]
        if mine:
            out.append(f'<h{level} class="phase {phase}">{head}</h{level}><ol start="{mine[0][0]}">')
            out += [_scene(scene, k, count) for k, scene in mine]
            out.append("</ol>")
    return "\n".join(out)


def _scene(scene: Scene, number: int, of: int) -> str:
    nodes, edges = (" ".join(map(str, numbers)) for numbers in (scene.nodes, scene.edges))
    lit = f'data-nodes="{nodes}" data-edges="{edges}"'
    said = f"Step {number} of {of}, {scene.phase}"
    body = "\n".join(equations(scene.rows)) if scene.rows else ""
    return (
        f'<li class="scene {scene.phase}" {lit} data-said="{said}">'
        f'<p class="scene-title">{text(scene.title, large=True)}</p>'
        f'<p class="scene-words">{text(scene.words)}</p>{body}</li>'
    )


def _controls(block: Picture, name: str) -> str:
    """Buttons and the choice of inputs; hidden until the script that serves them runs."""
    names = [walk.name for walk in block.walks]
    choice = ""
    if len(names) > 1:
        options = "".join(f'<option value="{escape(one, quote=True)}"></option>' for one in names)
        first = escape(names[0], quote=True)
        choice = (
            f'<label class="choice">{text(block.ask or "Inputs")} <input type="text" list="{name}-names" '
            f'value="{first}" data-first="{first}" autocomplete="off" spellcheck="false"></label>'
            f'<datalist id="{name}-names">{options}</datalist>'
        )
    return (
        f'<div class="controls" hidden>{choice}'
        '<button type="button" class="start">Walk through it</button>'
        '<span class="moving"><button type="button" class="back" aria-label="Previous step">←</button>'
        '<span class="place" aria-hidden="true"></span>'
        '<button type="button" class="next" aria-label="Next step">→</button>'
        '<button type="button" class="leave">Back to the sheet</button></span>'
        '<span class="complaint" role="alert"></span><div class="said" aria-live="polite"></div></div>'
    )
