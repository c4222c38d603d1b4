"""Everything outside, behind one narrow port."""
