"""The programs of the pages on Jupyter and Streamlit, with those packages in an environment of their own."""
